import { largestToken } from "../record/intents.ts"
import type { SourceRecord } from "../record/record.ts"
import { reachText } from "../record/rollout-events.ts"
import type { Rejection } from "../record/rollout-state.ts"
import type { ClusterSourceFacts } from "./fleet-facts.ts"
import type { NodeCount } from "./fleet-status.ts"
import { judgeNodes } from "./judge-nodes.ts"
import type { RecordedCommit } from "./revisions-with.ts"
import { shortCommit } from "./short-commit.ts"

/** Whether a commit is live in one cluster. */
export interface CommitVerdict {
  /** What the record shows. */
  shows: string | null
  /** True when that is, or contains, the commit. */
  recorded: boolean
  /** What the nodes show; null: it is not known. */
  nodes: NodeCount | null
  /**
   * True when the record contains the commit, all its targets are written, and every node that follows the record reports,
   * itself and now, that it shows a revision with it.
   */
  live: boolean
  /** `NAMESPACE/NAME failed: REASON` of each target that holds what it held before. */
  failed: string[]
  /** What it still lacks, the most important first; none when it is live. */
  reasons: string[]
  /** True while a rollout tries it here; absent: none does. */
  tried?: true
  /** Why a rollout that tried it has returned; absent: none has. */
  rejected?: Pick<Rejection, "commit" | "code" | "reason">
}

export interface CommitQuestion {
  facts: Pick<ClusterSourceFacts, "record" | "leases" | "failed" | "recordName" | "keepsStore">
  commit: string
  /** As revisionsWith read it; undefined: there is no record. */
  recorded: RecordedCommit | undefined
  /** `namespace/name` of the targets that it changes; absent: not known, so every failed target counts. */
  touches?: ReadonlySet<string> | undefined
  /** True: nodes whose report is too old do not count. */
  ignoreSilent: boolean
  /** Milliseconds since the epoch. */
  now: number
}

/**
 * Judges whether a commit is live in one cluster. Where a store is kept, at least one node has to report: without one
 * nothing shows that anything follows the record. With `ignoreSilent` a cluster in which no node ever reported counts by
 * its record alone; one whose nodes are all silent does not. Pure.
 */
export function judgeCommit(question: CommitQuestion): CommitVerdict {
  const { facts, recorded } = question
  const record = facts.record.known ? facts.record.value : undefined
  const isRecorded = recorded !== undefined && recorded.tokens.length > 0
  const nodes = nodesOf(question, record)
  const failed = record ? targetReasons(question, record) : []
  const reasons = [
    ...recordReasons(question, record),
    ...failed,
    ...(isRecorded ? nodeReasons(question, nodes) : []),
  ]
  const live = reasons.length === 0
  const verdict = { shows: record?.commit ?? null, recorded: isRecorded, nodes, live, failed, reasons }
  if (recorded?.isTried) return { ...verdict, tried: true }
  if (recorded?.rejected === undefined) return verdict
  const { commit, code, reason } = recorded.rejected
  return { ...verdict, rejected: { commit, code, reason } }
}

function nodesOf(
  { facts, recorded, now }: CommitQuestion,
  record: SourceRecord | undefined,
): NodeCount | null {
  const { leases, recordName } = facts
  if (!leases.known || leases.value === undefined) return null
  const largest = record && largestToken(record)
  return judgeNodes(leases.value, { record: recordName, tokens: recorded?.tokens ?? [], largest }, now)
}

function recordReasons(
  { facts, commit, recorded }: CommitQuestion,
  record: SourceRecord | undefined,
): string[] {
  if (!facts.record.known) return [`the record cannot be read: ${facts.record.problem.message}`]
  if (record === undefined || recorded === undefined) return ["nothing is shown yet: there is no record"]
  if (recorded.tokens.length > 0) {
    const { leavingFor } = recorded
    if (leavingFor === undefined) return []
    return [`${shortCommit(leavingFor)}, without it, is being written`]
  }
  const { stopped, hold, candidate } = record
  const { rejected, isTried } = recorded
  return [
    ...(rejected ? [`it was tried and went back: ${rejected.reason} [${rejected.code}]`] : []),
    ...(isTried && candidate
      ? [`it is being tried, stage ${candidate.stage + 1}: ${reachText(candidate)}`]
      : []),
    record.commit === null
      ? "nothing is shown yet: the first commit is being written"
      : `${shortCommit(commit)} is not in ${shortCommit(record.commit)}, which the record shows`,
    ...(stopped ? [`stopped at ${shortCommit(stopped.commit)}: ${stopped.message} [${stopped.code}]`] : []),
    ...(hold ? [`held at ${shortCommit(hold.commit)} by ${hold.by}: ${hold.reason}`] : []),
  ]
}

/** A target that failed holds what it held before, whichever commit that was of. */
function targetReasons({ facts: { failed }, touches }: CommitQuestion, record: SourceRecord): string[] {
  const listed = failed.known ? failed.value : record.failed
  const all = listed.filter(({ target }) => touches?.has(target) ?? true)
  const reasons = all.map(({ target, reason }) => `${target} failed: ${reason}`)
  const more = failed.known && record.failures !== null ? 0 : record.failedMore
  if (more > 0) return [...reasons, `${more} more targets failed`]
  return failed.known ? reasons : [...reasons, `which targets failed is not known: ${failed.problem.message}`]
}

function nodeReasons({ facts, ignoreSilent }: CommitQuestion, nodes: NodeCount | null): string[] {
  const { leases, keepsStore } = facts
  if (nodes === null) {
    if (!keepsStore) return []
    const why = leases.known ? "may not list Leases" : leases.problem.message
    return [`what nodes show is not known: ${why}`]
  }
  const { behind, silent, total } = nodes
  const reasons = behind.map(({ node, shows, problem }) => {
    return `${node}: ${problem ?? `shows ${shortCommit(shows)}`}`
  })
  if (silent.length > 0 && !ignoreSilent) {
    reasons.push(...silent.map(({ node, since }) => `${node}: no report since ${since ?? "its start"}`))
  }
  if (total === 0 && (silent.length > 0 ? ignoreSilent : keepsStore && !ignoreSilent)) {
    reasons.push(silent.length > 0 ? "every node is silent" : "no node reports")
  }
  return reasons
}
