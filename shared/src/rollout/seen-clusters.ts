import { holdInForce } from "../record/goal.ts"
import type { SourceRecord } from "../record/record.ts"
import { isOpened, type Rejection } from "../record/rollout-state.ts"
import { type FollowedRevision, isSameRevision, revisionOf } from "./followed-revision.ts"
import { clustersOf, leaderOf, type RolloutPolicy, stagesOf } from "./policy.ts"

/** Another cluster's record; null: it has none, or a blank one. */
export type PeerRecord = SourceRecord | null | "unreachable"

/** What one cluster sees of a rollout when it decides: its own record and, read after that, every other's. */
export interface SeenClusters {
  policy: RolloutPolicy
  self: string
  record: SourceRecord
  peers: ReadonlyMap<string, PeerRecord>
  /** Milliseconds, for holds. */
  now: number
}

/** The records that could be read, by cluster, our own among them. */
export function recordsOf({ self, record, peers }: SeenClusters): Map<string, SourceRecord> {
  const records = new Map([[self, record]])
  for (const [cluster, peer] of peers) if (peer !== null && peer !== "unreachable") records.set(cluster, peer)
  return records
}

/** Every rejection that can be read: one counts in all clusters, also where the record that it came from is lost. */
export function rejectionOf(
  seen: SeenClusters,
  revision: Parameters<typeof isSameRevision>[0],
): Rejection | undefined {
  const rejections = [...recordsOf(seen).values()].flatMap(({ rejected }) => rejected ?? [])
  return rejections.find((rejected) => isSameRevision(rejected, revision))
}

/** The clusters that operators have the rollout go on without. */
export function skippedClusters(seen: SeenClusters): ReadonlySet<string> {
  return new Set([...recordsOf(seen).values()].flatMap(({ candidate }) => candidate?.skipped ?? []))
}

/** True where an operator has a revision promoted without its bake times, in any cluster that tries it. */
export function isHurried(seen: SeenClusters, revision: FollowedRevision): boolean {
  return [...recordsOf(seen).values()].some(
    ({ candidate }) => candidate?.hurried === true && isSameRevision(candidate, revision),
  )
}

/** The record of the cluster that takes new commits; undefined: it cannot be read, or shows nothing. */
export function leaderRecord(seen: SeenClusters): {
  leader: string | undefined
  record: SourceRecord | undefined
} {
  const leader = leaderOf(seen.policy, skippedClusters(seen))
  const record = leader === undefined ? undefined : recordsOf(seen).get(leader)
  return { leader, record: record?.commit === null ? undefined : record }
}

/**
 * The revision that the leader tries, or else shows. Undefined: it is not known.
 */
export function ledRevision(seen: SeenClusters): FollowedRevision | undefined {
  const { record } = leaderRecord(seen)
  return record && revisionOf(record.candidate ?? record)
}

/** What keeps a revision from a stage in our own cluster: stages before it that have not passed, by cluster. */
export function notPassedBefore(seen: SeenClusters, revision: FollowedRevision, stage: number): string[] {
  const skipped = skippedClusters(seen)
  const hurried = isHurried(seen, revision)
  const names = new Set<string>()
  for (let earlier = 0; earlier < stage; earlier += 1) {
    const clusters = clustersOf(seen.policy, earlier)
    if (clusters.length === 0) names.add(`stage ${earlier + 1}: the settings have no cluster of that name`)
    for (const cluster of clusters) {
      if (cluster === seen.self || skipped.has(cluster) || hurried) continue
      if (!stagesOf(seen.policy, cluster).includes(earlier)) continue
      const why = notPassed(seen, cluster, revision, earlier)
      if (why !== undefined) names.add(`cluster ${cluster}: ${why}`)
    }
  }
  return [...names]
}

function notPassed(
  { peers, now }: SeenClusters,
  cluster: string,
  revision: FollowedRevision,
  stage: number,
): string | undefined {
  const peer = peers.get(cluster)
  if (peer === "unreachable" || peer === undefined) return "it cannot be read"
  if (peer === null) return "it shows nothing yet"
  if (isSameRevision(peer, revision) && peer.candidate === null) return undefined
  const { candidate, hold } = peer
  if (candidate === null || !isSameRevision(candidate, revision)) {
    return hold && holdInForce(hold, now) ? "it is held" : "it has not begun"
  }
  const isBeyond = candidate.stage > stage || (candidate.stage === stage && candidate.passed !== null)
  return isBeyond && isOpened(candidate) ? undefined : `it is in stage ${candidate.stage + 1}`
}
