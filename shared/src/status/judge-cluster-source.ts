import { isLate } from "../lanes/lane-ages.ts"
import { holdInForce } from "../record/goal.ts"
import { largestToken } from "../record/intents.ts"
import type { FailedTarget, SourceRecord } from "../record/record.ts"
import { codeOfReason, retryOfTarget } from "../record/retry-of-target.ts"
import { worstLevel } from "./finding.ts"
import { findingsOf } from "./findings.ts"
import type { BranchFacts, ClusterSourceFacts } from "./fleet-facts.ts"
import type {
  ClusterSourceState,
  ClusterSourceStatus,
  FailedTargetStatus,
  NodeCount,
} from "./fleet-status.ts"
import { judgeNodes } from "./judge-nodes.ts"
import type { JudgedFacts, Surroundings } from "./judged-facts.ts"
import { remedyOfCode } from "./remedy-of-code.ts"
import { rolloutStatus } from "./rollout-status.ts"

/** Judges one source in one cluster. Pure. */
export function judgeClusterSource(
  facts: ClusterSourceFacts,
  surroundings: Surroundings,
): ClusterSourceStatus {
  const judged = judgedFacts(facts, surroundings)
  const findings = findingsOf(judged, facts, surroundings)
  return { ...judged, level: worstLevel(findings), findings }
}

function judgedFacts(facts: ClusterSourceFacts, { now, branch, lane }: Surroundings): JudgedFacts {
  const { cluster, source } = facts
  const record = facts.record.known ? facts.record.value : undefined
  const lag = lagOf(record, branch, now)
  return {
    cluster,
    source,
    state: stateOf(facts, branch, now),
    commit: record?.commit ?? null,
    token: record?.token ?? null,
    tip: branch?.commit ?? null,
    behind: lag.behind,
    lag: lag.seconds,
    hold: record?.hold ?? null,
    stopped: stoppedOf(record),
    intents: (record?.intents ?? []).map(({ commit, targets }) => ({
      commit,
      targets: targets === "all" ? targets : targets.length,
    })),
    ...failedOf(facts, record, lane?.retry),
    orphans: facts.orphans.known ? [...facts.orphans.value] : null,
    orphansUnknown: facts.orphans.known ? null : facts.orphans.problem.message,
    foreign: record?.foreign ?? [],
    nodes: nodesOf(facts, record, now),
    ...stagedOf(facts, record, { now, holdUp: lane?.holdUp ?? [] }),
    ...(facts.words?.known && facts.words.value.length > 0 && { words: [...facts.words.value] }),
    store: facts.store.known ? (facts.store.value ?? null) : null,
    lane:
      lane === undefined
        ? null
        : { lastSuccess: timeText(lane.lastSuccess), late: isLate({ lastSuccess: lane.lastSuccess }, now) },
    lastOutcome:
      lane?.outcome === undefined
        ? null
        : {
            at: new Date(lane.outcome.at).toISOString(),
            result: lane.outcome.result,
            error: lane.outcome.error,
          },
  }
}

function stateOf(
  { record: answer }: ClusterSourceFacts,
  branch: BranchFacts | undefined,
  now: number,
): ClusterSourceState {
  if (!answer.known) return "unreachable"
  const record = answer.value
  if (record === undefined) return "absent"
  if (record.stopped) return "stopped"
  if (record.hold && holdInForce(record.hold, now)) return "held"
  if (record.intents.length > 0 || record.candidate !== null) return "working"
  if (branch === undefined) return "unknown"
  return record.commit === branch.commit ? "current" : "behind"
}

/** How far the record is behind the branch, in commits and in seconds since the tip was committed. */
function lagOf(
  record: SourceRecord | undefined,
  branch: BranchFacts | undefined,
  now: number,
): { behind: number | null; seconds: number | null } {
  if (!record?.commit || branch === undefined) return { behind: null, seconds: null }
  if (record.commit === branch.commit) return { behind: 0, seconds: null }
  const shown = branch.commits.get(record.commit)
  const committed = branch.commits.get(branch.commit)?.committed
  return {
    // Of a rewritten branch the difference of the two counts says nothing.
    behind: shown?.isInBranch ? Math.max(0, branch.seq - shown.seq) : null,
    seconds: committed === undefined ? null : Math.max(0, (now - committed) / 1000),
  }
}

function stoppedOf(record: SourceRecord | undefined): ClusterSourceStatus["stopped"] {
  if (!record?.stopped) return null
  const { code, message, commit, judged } = record.stopped
  return { code, message, commit, ...(judged ? { since: judged.since } : {}) }
}

/** Every failed target, or as many as the record lists where the store's own list cannot be read. */
function failedOf(
  { failed }: ClusterSourceFacts,
  record: SourceRecord | undefined,
  next: number | undefined,
): Pick<ClusterSourceStatus, "failed" | "failedMore"> {
  const failedStatus = (one: FailedTarget) => failedTargetStatus(one, next)
  if (failed.known && record?.failures) {
    return { failed: failed.value.map(failedStatus), failedMore: 0 }
  }
  return { failed: (record?.failed ?? []).map(failedStatus), failedMore: record?.failedMore ?? 0 }
}

function failedTargetStatus(
  { target, reason, since }: FailedTarget,
  next: number | undefined,
): FailedTargetStatus {
  const remedy = remedyOfCode(codeOfReason(reason))
  const retry = retryOfTarget(reason)
  const isKnown = next !== undefined && retry !== "never"
  return { target, reason, since, retry, ...(isKnown && { next: new Date(next).toISOString() }), remedy }
}

function nodesOf(
  { leases, recordName }: ClusterSourceFacts,
  record: SourceRecord | undefined,
  now: number,
): NodeCount | null {
  if (!leases.known || leases.value === undefined) return null
  // Those of a stage are to show the candidate.
  const tried = record?.candidate ? [record.candidate.token] : []
  const shown = record?.commit ? [record.token, ...tried] : []
  const largest = record && largestToken(record)
  return judgeNodes(leases.value, { record: recordName, tokens: shown, largest }, now)
}

/** The rollout under way, and the revision that one returned from; neither is there while there is none. */
function stagedOf(
  { recordName, leases, pace, expected }: ClusterSourceFacts,
  record: SourceRecord | undefined,
  { now, holdUp }: { now: number; holdUp: readonly string[] },
): Pick<ClusterSourceStatus, "rollout" | "rejected"> {
  if (record === undefined) return {}
  const listed = leases.known ? (leases.value ?? []) : []
  const rollout = rolloutStatus(record, { recordName, leases: listed, pace, expected, now, holdUp })
  const { commit, code, reason, at } = record.rejected ?? {}
  const isRejected = commit !== undefined && code !== undefined && reason !== undefined && at !== undefined
  return { ...(rollout && { rollout }), ...(isRejected && { rejected: { commit, code, reason, at } }) }
}

function timeText(milliseconds: number | undefined): string | null {
  return milliseconds === undefined ? null : new Date(milliseconds).toISOString()
}
