import { errorMessage, HeadraceError, hasCode } from "../../foundation/errors.ts"
import { isBegun } from "../../record/intents.ts"
import type { SourceRecord } from "../../record/record.ts"
import { compareTokens } from "../../record/token.ts"
import type { Choice, ClusterPlan } from "../run/cluster-plan.ts"
import type { DesiredRevision } from "../run/revision.ts"
import type { Run } from "../run/run.ts"
import { chooseTargets } from "./choose-targets.ts"
import { desiredAfterSurvey, isPutBack } from "./desired-after-survey.ts"
import {
  desiredAt,
  desiredInNewEpoch,
  diverged,
  goalAt,
  mayFollowRewrite,
  type Tips,
} from "./desired-revision.ts"
import { judgeDeletions, plannedKeys } from "./judge-deletions.ts"
import { planAt, planOfStamps, rulesDigestAt } from "./plan-at.ts"
import { surveyTargets, withRefused } from "./survey-targets.ts"

/** Everything that writing needs to know: planned, judged, chosen. */
export interface Work {
  desired: DesiredRevision
  plan: ClusterPlan
  /** Undefined when it is not known what is in force: then everything counts as changed. */
  previous: ClusterPlan | undefined
  choice: Choice
  /** True when the record shows exactly this already: a rebuild, which needs no intent. */
  inForce: boolean
  stopped: SourceRecord["stopped"]
}

export type Decision =
  | { kind: "noop" }
  | { kind: "work"; work: Work }
  | { kind: "stop"; stopped: NonNullable<SourceRecord["stopped"]> }

/** Works out what to do, and writes nothing. The tips must be of a fetch that began after the record was read. */
export async function workOut(run: Run, tips: Tips, record: SourceRecord): Promise<Decision> {
  const { commit } = goalAt(tips, record)
  try {
    const desired = await desiredOrNewEpoch(run, tips, record)
    if (await isDone(run, record, desired)) return { kind: "noop" }
    return { kind: "work", work: await judged(run, tips, record, desired) }
  } catch (error) {
    if (!isReasonToStop(error)) throw error
    return { kind: "stop", stopped: { code: error.code, message: errorMessage(error), commit } }
  }
}

/** Work towards a desired revision that was judged when its intent was opened; throws `rules/…`. */
export async function workAgain(
  run: Run,
  record: SourceRecord,
  desired: DesiredRevision,
  stopped: SourceRecord["stopped"],
): Promise<Work> {
  const plan = await planAt(run.ports, run.memory, run.request.cluster, desired, run.signal)
  return workOf(run, record, desired, plan, await planInForce(run, record), stopped)
}

async function desiredOrNewEpoch(run: Run, tips: Tips, record: SourceRecord): Promise<DesiredRevision> {
  const { ports, signal } = run
  const desired = await desiredAt(ports, tips, record, signal)
  if (desired !== undefined) return desired
  if (mayFollowRewrite(ports, tips, record)) return desiredInNewEpoch(ports, tips, record, signal)
  const shown = record.commit ?? record.intents[0]?.commit
  throw diverged(goalAt(tips, record).commit, shown ?? "what the record shows")
}

async function judged(run: Run, tips: Tips, record: SourceRecord, first: DesiredRevision): Promise<Work> {
  const { ports, memory, request, signal } = run
  const whole = await planAt(ports, memory, request.cluster, first, signal)
  const previous = isPutBack(run, record) ? undefined : await planInForce(run, record)
  const planOf = planOfStamps(run, first)
  const survey = previous
    ? undefined
    : await surveyTargets(ports, { source: request.source, plan: whole, planOf }, signal)
  const plan = survey ? withRefused(whole, survey.unreadable) : whole
  const desired = survey ? await desiredAfterSurvey(run, tips, record, first, survey) : first
  const held = previous ? plannedKeys(previous) : survey?.held
  if (held && !isJudged(record, first, plan)) judgeDeletions(held, plan, ports.settings.guard)
  return workOf(run, record, desired, plan, previous, null)
}

function workOf(
  run: Run,
  record: SourceRecord,
  desired: DesiredRevision,
  plan: ClusterPlan,
  previous: ClusterPlan | undefined,
  stopped: SourceRecord["stopped"],
): Work {
  const choice = chooseTargets(plan, previous, record, run.request.mode === "full")
  const inForce = isInForce(record, desired, plan)
  return { desired, plan, previous, choice, inForce, stopped }
}

/**
 * True when an operator has approved what this deletes, or it needs no judging again: what is in force or begun
 * was judged before, unless an operator's rewind began it, which is an approval of its own.
 */
function isJudged(record: SourceRecord, desired: DesiredRevision, plan: ClusterPlan): boolean {
  return record.approved === desired.commit || isBegun(record, desired) || isInForce(record, desired, plan)
}

/** What the record's revision gave; undefined when that is no longer known. */
async function planInForce(run: Run, record: SourceRecord): Promise<ClusterPlan | undefined> {
  if (record.commit === null) return undefined
  const { ports, memory, request, signal } = run
  const revision = { commit: record.commit, rulesCommit: record.rulesCommit }
  try {
    const plan = await planAt(ports, memory, request.cluster, revision, signal)
    return plan.digest === record.rules ? plan : undefined
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof HeadraceError) return undefined
    throw error
  }
}

/** True when the record shows this revision, with what the rules mean now. */
function isInForce(
  record: SourceRecord,
  desired: DesiredRevision,
  plan: Pick<ClusterPlan, "digest">,
): boolean {
  return isShown(record, desired) && record.rules === plan.digest
}

/** At the goal means token and commit, not "or beyond": a rewound branch can have the same count. */
function isShown(record: SourceRecord, desired: DesiredRevision): boolean {
  return (
    record.commit === desired.commit &&
    record.rulesCommit === desired.rulesCommit &&
    compareTokens(record.token, desired.token) === 0
  )
}

async function isDone(run: Run, record: SourceRecord, desired: DesiredRevision): Promise<boolean> {
  if (run.request.mode === "full" || run.beyond || !isShown(record, desired)) return false
  if (record.intents.length > 0 || record.failed.length > 0 || record.failedMore > 0) return false
  if (record.stopped !== null) return false
  return record.rules === (await rulesDigestAt(run.ports, run.memory, desired, run.signal))
}

const REASONS_TO_STOP = ["rules/", "guard/", "git/diverged", "git/unknown-commit"] as const

/** Mistakes upstream, which only a commit or an operator can fix; anything else is retried. */
function isReasonToStop(error: unknown): error is HeadraceError {
  return REASONS_TO_STOP.some((code) => hasCode(error, code))
}
