import { holdInForce } from "../record/goal.ts"
import { hasIntentAt } from "../record/intents.ts"
import type { Intent, SourceRecord } from "../record/record.ts"
import { type Candidate, isOpened, type Rejection } from "../record/rollout-state.ts"
import { compareTokens } from "../record/token.ts"
import { type FollowedRevision, isSameRevision, revisionOf } from "./followed-revision.ts"
import type { Verdict } from "./judge-stage.ts"
import { policyDigest, stagesOf, wholeStageOf } from "./policy.ts"
import {
  isHurried,
  leaderRecord,
  ledRevision,
  notPassedBefore,
  recordsOf,
  rejectionOf,
  type SeenClusters,
} from "./seen-clusters.ts"

/**
 * What one cluster does next for a source:
 *
 * - `rest`: show the baseline, as far as it is not shown already; `atGoal`: it is what the cluster is to show;
 *   `waits`: for other clusters;
 * - `direct`: an operator has rewound, which no stage holds up;
 * - `prepare`: write a revision into the store and make it the candidate, for no node yet;
 * - `open`: begin a stage; `pass`: its checks have passed; `promote`: the candidate becomes the baseline;
 * - `return`: drop the candidate, or go back to what was in force before its promotion;
 * - `settle`: forget what was in force before, since every cluster has promoted;
 * - `adopt`: a blank record takes the baseline of the other clusters.
 */
export type Step =
  | { kind: "rest"; holdUp: string[]; atGoal?: true; waits?: true }
  | { kind: "direct" }
  | { kind: "prepare"; revision: FollowedRevision; stage: number }
  | { kind: "open"; stage: number }
  | { kind: "pass" }
  | { kind: "promote" }
  | { kind: "return"; to: "baseline" | "previous"; rejection: Rejection | null; why: string }
  | { kind: "settle" }
  | { kind: "adopt"; revision: FollowedRevision }

/** What a step needs beside the records. */
export interface StepInput {
  /** The goal of the branch; undefined: not read, since nothing depends on it (needsTip). */
  tip: FollowedRevision | undefined
  /** Of the candidate's stage; undefined: no stage is open here. */
  verdict: Verdict | undefined
  /** ISO time for a rejection. */
  at: string
}

/** True when the next step may depend on the tip of the branch: git is not asked otherwise. */
export function needsTip(seen: SeenClusters): boolean {
  const { record, policy, self } = seen
  if (record.commit === null || heldAt(seen) !== undefined) return true
  if (leaderRecord(seen).leader !== self) return false
  return record.candidate === null || policy.newer === "restart"
}

/** Works out the next step of our own cluster. Pure. */
export function nextStep(seen: SeenClusters, input: StepInput): Step {
  const { record } = seen
  const fallen = record.previous && rejectionOf(seen, record)
  if (fallen) return { kind: "return", to: "previous", rejection: fallen, why: fallen.reason }
  return record.candidate ? stepOfCandidate(seen, record.candidate, input) : stepAtRest(seen, input)
}

function stepOfCandidate(seen: SeenClusters, candidate: Candidate, input: StepInput): Step {
  const { policy, record, self } = seen
  const rejection = rejectionOf(seen, candidate)
  if (rejection) return { kind: "return", to: "baseline", rejection, why: rejection.reason }
  const dropped = whyDropped(seen, candidate)
  if (dropped !== undefined) return { kind: "return", to: "baseline", rejection: null, why: dropped }
  // An operator's word goes before the checks; another cluster's rejection was judged above.
  const hurried = isHurried(seen, candidate)
  if (input.verdict?.kind === "failed" && !hurried)
    return stepOfFailure(seen, candidate, input.verdict, input.at)
  if (isReplaced(seen, candidate, input.tip)) {
    return { kind: "return", to: "baseline", rejection: null, why: "a newer commit takes its place" }
  }
  // Its view is half written: what was allowed then is ended.
  if (hasIntentAt(record, candidate.token)) return { kind: "open", stage: wholeStageOf(policy, self) }
  if (!isOpened(candidate)) return openOrWait(seen, candidate, candidate.stage)
  if (candidate.passed === null) return stepOfOpenStage(seen, candidate, input.verdict, hurried)
  const next = stagesOf(policy, self).find((stage) => stage > candidate.stage)
  return next === undefined ? promoteOrWait(seen, candidate, hurried) : openOrWait(seen, candidate, next)
}

/** Why a candidate is not tried any more, though nothing failed; undefined: it is. */
function whyDropped(seen: SeenClusters, candidate: Candidate): string | undefined {
  const held = heldAt(seen)
  if (held !== undefined && held !== candidate.commit) return "the source is held at another commit"
  if (candidate.policy !== policyDigest(seen.policy)) return "the stages or the clusters changed"
  if (held !== undefined) return undefined
  const { leader } = leaderRecord(seen)
  const led = ledRevision(seen)
  const isAlone = leader !== seen.self && led !== undefined && !isSameRevision(led, candidate)
  return isAlone ? `cluster ${leader} does not try it any more` : undefined
}

function stepOfFailure(
  { policy }: SeenClusters,
  { commit, rulesCommit, rules, token }: Candidate,
  { code, why }: Extract<Verdict, { kind: "failed" }>,
  at: string,
): Step {
  if (policy.onFailure === "stop") return { kind: "rest", holdUp: [`${why}; onFailure is stop`] }
  const rejection = { commit, rulesCommit, rules, seq: token.seq, code, reason: why, at }
  return { kind: "return", to: "baseline", rejection, why }
}

function isReplaced(seen: SeenClusters, candidate: Candidate, tip: FollowedRevision | undefined): boolean {
  if (tip === undefined || seen.policy.newer !== "restart" || heldAt(seen) !== undefined) return false
  if (leaderRecord(seen).leader !== seen.self || rejectionOf(seen, tip)) return false
  return !isSameRevision(tip, candidate) && !isSameRevision(tip, seen.record)
}

function stepOfOpenStage(
  seen: SeenClusters,
  candidate: Candidate,
  verdict: Verdict | undefined,
  hurried: boolean,
): Step {
  if (!hurried && verdict?.kind !== "passed") return { kind: "rest", holdUp: holdUpOf(verdict) }
  if (candidate.stage < wholeStageOf(seen.policy, seen.self)) return { kind: "pass" }
  return promoteOrWait(seen, candidate, hurried)
}

/** A hurried cluster waits until every other has heard of it, since its record is where they read that word. */
function promoteOrWait(seen: SeenClusters, candidate: Candidate, hurried: boolean): Step {
  if (!hurried) return { kind: "promote" }
  const unaware = [...recordsOf(seen)].filter(
    ([cluster, record]) =>
      cluster !== seen.self &&
      !isSameRevision(record.candidate, candidate) &&
      !isSameRevision(record, candidate) &&
      !isHeld(record, seen.now),
  )
  if (unaware.length === 0) return { kind: "promote" }
  return { kind: "rest", holdUp: unaware.map(([cluster]) => `cluster ${cluster}: it has not begun`) }
}

function openOrWait(seen: SeenClusters, candidate: Candidate, stage: number): Step {
  const holdUp = heldAt(seen) === undefined ? notPassedBefore(seen, candidate, stage) : []
  return holdUp.length === 0 ? { kind: "open", stage } : { kind: "rest", holdUp }
}

function stepAtRest(seen: SeenClusters, input: StepInput): Step {
  const { record } = seen
  if (record.commit === null) return stepOfBlank(seen)
  const begun = record.intents.filter(({ token }) => compareTokens(token, record.token) > 0)
  if (begun.some((intent) => isRewind(seen, intent))) return { kind: "direct" }
  // A return that a reconcile has not ended yet.
  if (begun.length < record.intents.length) return { kind: "rest", holdUp: [] }
  const step = stepToGoal(seen, input)
  if (step.kind !== "rest" || begun.length === 0) return step
  return { kind: "return", to: "baseline", rejection: null, why: "what was begun is not the goal any more" }
}

/** An operator's rewind: an intent in a new epoch at the commit of the hold. */
function isRewind(seen: SeenClusters, { commit, token }: Intent): boolean {
  return commit === heldAt(seen) && token.epoch > seen.record.token.epoch
}

function stepToGoal(seen: SeenClusters, { tip }: StepInput): Step {
  const { record, self } = seen
  const held = heldAt(seen)
  const { leader } = leaderRecord(seen)
  const follow = held !== undefined || leader === self ? tip : ledRevision(seen)
  if (follow === undefined)
    return {
      kind: "rest",
      holdUp: [`cluster ${leader ?? "of the first stage"}: it cannot be read`],
      waits: true,
    }
  if (isSameRevision(follow, record)) {
    return canSettle(seen) ? { kind: "settle" } : { kind: "rest", holdUp: [], atGoal: true }
  }
  const rejection = rejectionOf(seen, follow)
  if (rejection)
    return { kind: "rest", holdUp: [`commit ${follow.commit} was rejected: ${rejection.reason}`] }
  if (held === undefined && leader !== self && !isLedBy(leaderRecord(seen).record, record))
    return { kind: "rest", holdUp: [] }
  const holdUp =
    held !== undefined
      ? []
      : leader === self
        ? underWay(seen)
        : notPassedBefore(seen, follow, firstStage(seen))
  if (holdUp.length > 0) return { kind: "rest", holdUp, waits: true }
  return { kind: "prepare", revision: follow, stage: firstStage(seen) }
}

function firstStage({ policy, self }: SeenClusters): number {
  return stagesOf(policy, self)[0] ?? 0
}

/** A record that shows nothing takes what the leader shows, or else what another cluster does: never the tip. */
function stepOfBlank(seen: SeenClusters): Step {
  const { record: leader } = leaderRecord(seen)
  const others = [...recordsOf(seen)].filter(([cluster]) => cluster !== seen.self).map(([, record]) => record)
  const shown = [...(leader ? [leader] : []), ...others].flatMap((record) => revisionOf(record) ?? [])
  const good = shown.find((revision) => !rejectionOf(seen, revision))
  return good ? { kind: "adopt", revision: good } : { kind: "rest", holdUp: [] }
}

/**
 * With `newer: finish` a rollout ends in every cluster that answers and can take it, before the next one begins. It cannot end
 * where a cluster is past it, which keeps the stages after its own waiting: then the next one takes its place.
 */
function underWay(seen: SeenClusters): string[] {
  const { record, self, policy, now } = seen
  const others = [...recordsOf(seen)].filter(([cluster, other]) => cluster !== self && !isHeld(other, now))
  if (policy.newer === "restart" || others.some(([, other]) => isPast(seen, other))) return []
  return others.flatMap(([cluster, other]) => {
    if (other.commit === null) return []
    if (other.candidate !== null) return [`cluster ${cluster}: it is in stage ${other.candidate.stage + 1}`]
    if (isSameRevision(other, record) || other.stopped !== null) return []
    return [`cluster ${cluster}: it has not begun`]
  })
}

/**
 * True where a cluster follows what the leader tries or shows. One that shows less than the cluster was put back, rewound or
 * became the leader in mid-rollout: that is no reason to go back, nor for it to wait for that cluster.
 */
function isLedBy(leader: SourceRecord | undefined, record: SourceRecord): boolean {
  if (leader === undefined) return false
  if (leader.candidate !== null || leader.token.seq > record.token.seq) return true
  return isSameRevision(leader.previous, record)
}

/** True where a cluster shows more than we, its leader, do: an operator had rewound it there. */
function isPast({ record }: SeenClusters, other: SourceRecord): boolean {
  if (other.commit === null || other.candidate !== null || other.stopped !== null) return false
  return !isSameRevision(other, record) && !isLedBy(record, other)
}

/** Every cluster of the settings answers, and shows as its baseline what we show. */
function canSettle(seen: SeenClusters): boolean {
  const { record, peers } = seen
  if (record.previous === null) return false
  return [...peers.values()].every(
    (peer) =>
      peer !== null && peer !== "unreachable" && peer.candidate === null && isSameRevision(peer, record),
  )
}

/** The commit that an operator holds our cluster at; undefined: none. */
function heldAt({ record, now }: SeenClusters): string | undefined {
  return record.hold && holdInForce(record.hold, now) ? record.hold.commit : undefined
}

function isHeld({ hold }: SeenClusters["record"], now: number): boolean {
  return hold !== null && holdInForce(hold, now)
}

function holdUpOf(verdict: Verdict | undefined): string[] {
  if (verdict?.kind === "baking") return [`the bake time: ${Math.ceil(verdict.milliseconds / 1000)} s more`]
  return verdict?.kind === "waiting" ? verdict.holdUp : []
}
