import { systemClock } from "@headrace/shared/foundation/clock"
import { hasCode } from "@headrace/shared/foundation/errors"
import type { ConfigMapReader } from "@headrace/shared/kube/config-map-api"
import type { LeaseReader } from "@headrace/shared/kube/lease-api"
import { holdInForce } from "@headrace/shared/record/goal"
import { largestToken } from "@headrace/shared/record/intents"
import type { SourceRecord } from "@headrace/shared/record/record"
import { readRecord } from "@headrace/shared/record/record-config-map"
import { type FetchIndex, listFailures, listTargets } from "@headrace/shared/record/walk-index"
import { countLiveNodes, type NodeCount } from "./count-live-nodes.ts"
import { type FailedTargetStatus, failedTargetStatus } from "./failed-target.ts"
import { type RecordAddress, readNodes } from "./read-nodes.ts"

/** What one cluster shows of one source. */
export interface SourceStatus {
  /** `absent`: no record. `current`, `behind`: of the branch. `held`, `stopped`, `working`: as the record says. */
  state: "absent" | "current" | "behind" | "held" | "stopped" | "working" | "unknown"
  commit: string | null
  token: SourceRecord["token"] | null
  /** The branch's tip and how many commits are missing; null when git was not asked, or does not know. */
  tip: string | null
  behind: number | null
  hold: SourceRecord["hold"]
  stopped: SourceRecord["stopped"]
  /** Commits with writing under way, or left by a worker that died. */
  intents: { commit: string; targets: number | "all" }[]
  failed: FailedTargetStatus[]
  failedMore: number
  /** ConfigMaps that the source wrote and its rules name no more; null: not known, for the reason beside. */
  orphans?: string[] | null
  orphansUnknown?: string
  /** The latest writes of other programs to our targets, newest first. */
  foreign: SourceRecord["foreign"]
  /** How many nodes show what the record shows; null: they may not be asked. */
  nodes: NodeCount | null
  /** Null where the cluster keeps no store. */
  store: { targets: number; files: number; bytes: number } | null
}

/** The branch as git reports it. */
export interface BranchTip {
  commit: string
  seq: number
  /** seq of the commit that the record shows, where the mirror has it. */
  seqOf(commit: string): Promise<number | undefined>
}

/**
 * Reads the nodes' Leases, the record (after them, so that no node can be ahead of it) and the store's index for its sizes; `tip` undefined: git was not asked.
 */
export async function sourceStatus(
  kube: ConfigMapReader & LeaseReader,
  { namespace, programsNamespace, source }: RecordAddress,
  tip: BranchTip | undefined,
  fetchIndex: FetchIndex,
  signal: AbortSignal,
): Promise<SourceStatus> {
  const leases = await readNodes(kube, [namespace, programsNamespace], signal)
  const configMap = await kube.get(namespace, source, signal)
  if (configMap === undefined) return { ...NOTHING, tip: tip?.commit ?? null }
  const record = readRecord(configMap)
  const behind = await commitsBehind(record, tip)
  return {
    state: stateOf(record, tip),
    commit: record.commit,
    token: record.token,
    tip: tip?.commit ?? null,
    behind,
    hold: record.hold,
    stopped: record.stopped,
    intents: record.intents.map(({ commit, targets }) => ({
      commit,
      targets: targets === "all" ? targets : targets.length,
    })),
    ...(await allFailed(record, fetchIndex)),
    foreign: record.foreign,
    nodes:
      leases &&
      countLiveNodes(
        leases,
        `${namespace}/${source}`,
        { reached: record.token, largest: largestToken(record) },
        systemClock.now(),
      ),
    store: record.root === null ? null : await storeSize(record.root, fetchIndex),
  }
}

/** Every failed target, those that the record has no room for too, where the store lists them. */
async function allFailed(
  record: SourceRecord,
  fetchIndex: FetchIndex,
): Promise<Pick<SourceStatus, "failed" | "failedMore">> {
  const inRecord = record.failed.map(failedTargetStatus)
  if (record.failures === null) return { failed: inRecord, failedMore: record.failedMore }
  try {
    const listed = await listFailures(record.failures, fetchIndex)
    return { failed: listed.map(failedTargetStatus), failedMore: 0 }
  } catch (error) {
    if (!hasCode(error, "store/") && !hasCode(error, "bundle/")) throw error
    return { failed: inRecord, failedMore: record.failedMore }
  }
}

const NOTHING: SourceStatus = {
  state: "absent",
  commit: null,
  token: null,
  tip: null,
  behind: null,
  hold: null,
  stopped: null,
  intents: [],
  failed: [],
  failedMore: 0,
  foreign: [],
  nodes: null,
  store: null,
}

function stateOf(record: SourceRecord, tip: BranchTip | undefined): SourceStatus["state"] {
  if (record.stopped) return "stopped"
  if (record.hold && holdInForce(record.hold, systemClock.now())) return "held"
  if (record.intents.length > 0) return "working"
  if (tip === undefined) return "unknown"
  return record.commit === tip.commit ? "current" : "behind"
}

async function commitsBehind(record: SourceRecord, tip: BranchTip | undefined): Promise<number | null> {
  if (tip === undefined || record.commit === null) return null
  const seq = await tip.seqOf(record.commit)
  return seq === undefined ? null : Math.max(0, tip.seq - seq)
}

async function storeSize(root: string, fetchIndex: FetchIndex): Promise<NonNullable<SourceStatus["store"]>> {
  const targets = await listTargets(root, fetchIndex)
  return {
    targets: targets.length,
    files: targets.reduce((files, target) => files + target.files, 0),
    bytes: targets.reduce((bytes, target) => bytes + target.bytes, 0),
  }
}
