import type { ApprovalWord } from "./approval-word.ts"
import type { SourceRecord } from "./record.ts"
import { ALL_NODES, type Candidate } from "./rollout-state.ts"
import { tokenText } from "./token.ts"

/** What a swap means for a rollout, not yet escaped. */
export interface RolloutEvent {
  type: "Normal" | "Warning"
  reason: string
  message: string
}

const SHORT_ID = 12

/**
 * The events of a rollout between one record and the next: what is tried, how far, and how it ends. `approval`: who approved what.
 * Pure.
 */
export function rolloutEvents(
  before: SourceRecord | undefined,
  after: SourceRecord,
  approval?: ApprovalWord,
): RolloutEvent[] {
  return [
    ...candidateEvents(before?.candidate ?? null, after.candidate),
    ...wordEvents(before?.candidate ?? null, after.candidate),
    ...endEvents(before, after),
    ...rejectionEvents(before, after, approval),
  ]
}

function candidateEvents(before: Candidate | null, after: Candidate | null): RolloutEvent[] {
  if (after === null) return []
  const isSame = before?.commit === after.commit && before.token.epoch === after.token.epoch
  if (!isSame)
    return [normal("RolloutStarted", `tries ${shortId(after.commit)} at token ${tokenText(after.token)}`)]
  const isSameStage = before.stage === after.stage && before.bound === after.bound
  if (isSameStage && before.selectors.length === after.selectors.length) return []
  return [normal("RolloutStage", `stage ${after.stage + 1} of ${shortId(after.commit)}: ${reachText(after)}`)]
}

/** Which nodes take a candidate, for people. */
export function reachText({ bound, selectors }: Pick<Candidate, "bound" | "selectors">): string {
  if (bound >= ALL_NODES) return "every node"
  const share = bound === 0 ? [] : [`${percentText(bound)} of the nodes`]
  const labelled = selectors.map((selector) => {
    const labels = Object.entries(selector).map(([label, value]) => `${label}=${value}`)
    return `nodes labelled ${labels.join(",")}`
  })
  const parts = [...share, ...labelled]
  return parts.length === 0 ? "no node yet" : parts.join(" and ")
}

/** The share of all nodes below a bound, never rounded to none or to all. */
function percentText(bound: number): string {
  const percent = (bound / ALL_NODES) * 100
  if (percent < 1) return "less than 1 %"
  return `${Math.min(99, Math.round(percent))} %`
}

function wordEvents(before: Candidate | null, after: Candidate | null): RolloutEvent[] {
  const word = after?.word ?? null
  if (after === null || word === null || word.at === before?.word?.at) return []
  const said = orderText(word)
  if (after.hurried && before?.hurried !== true) {
    return [normal("PromotedNow", `promotes ${shortId(after.commit)} without waiting, ${said}`)]
  }
  if (after.skipped.length === (before?.skipped.length ?? 0)) return []
  return [normal("ClusterSkipped", `continues without ${after.skipped.join(", ")}, ${said}`)]
}

/** A candidate that ends neither promoted nor rejected, by an operator's word or other settings. */
function endEvents(before: SourceRecord | undefined, after: SourceRecord): RolloutEvent[] {
  const candidate = before?.candidate ?? null
  if (candidate === null || after.candidate?.commit === candidate.commit) return []
  const isRejected = after.rejected?.commit === candidate.commit
  if (isRejected || after.commit === candidate.commit) return []
  const shown = after.commit === null ? "nothing" : shortId(after.commit)
  return [normal("RolloutEnded", `drops ${shortId(candidate.commit)}; ${shown} stays in force`)]
}

function rejectionEvents(
  before: SourceRecord | undefined,
  { rejected, commit }: SourceRecord,
  approval: ApprovalWord | undefined,
): RolloutEvent[] {
  const was = before?.rejected ?? null
  if (rejected === null) {
    if (was === null || commit === was.commit) return []
    const said = approval?.commit === was.commit ? `, ${orderText(approval)}` : ""
    return [normal("RejectionLifted", `${shortId(was.commit)} may be tried again${said}`)]
  }
  if (was?.commit === rejected.commit && was.at === rejected.at) return []
  const remedy = `Fix it and merge again; if it is not at fault, run approve --rejection --commit ${shortId(rejected.commit)}.`
  const message = `${shortId(rejected.commit)} goes back: ${rejected.reason} [${rejected.code}]. ${remedy}`
  return [{ type: "Warning", reason: "RolloutReturned", message }]
}

/** Who wanted it, and why. */
export function orderText({ by, reason }: Pick<ApprovalWord, "by" | "reason">): string {
  return `as ${by} ordered: ${reason}`
}

function normal(reason: string, message: string): RolloutEvent {
  return { type: "Normal", reason, message }
}

function shortId(commit: string): string {
  return commit.slice(0, SHORT_ID)
}
