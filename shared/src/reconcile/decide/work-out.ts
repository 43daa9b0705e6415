import { errorMessage, HeadraceError, hasCode } from "../../foundation/errors.ts"
import { isBegun } from "../../record/intents.ts"
import type { Record } from "../../record/record.ts"
import { compareTokens } from "../../record/token.ts"
import type { Choice, ClusterPlan } from "../run/cluster-plan.ts"
import type { Aim } from "../run/revision.ts"
import type { Run } from "../run/run.ts"
import { chooseTargets } from "./choose-targets.ts"
import { aimOverTargets, isBehindTargets } from "./desired-after-survey.ts"
import { aimAt, aimInNewEpoch, diverged, goalAt, mayFollowRewrite, type Tips } from "./desired-revision.ts"
import { judgeDeletions, plannedKeys } from "./judge-deletions.ts"
import { planAt, planOfStamps, rulesDigestAt } from "./plan-at.ts"
import { surveyTargets } from "./survey-targets.ts"

/** Everything that writing needs to know: planned, judged, chosen. */
export interface Work {
  aim: Aim
  plan: ClusterPlan
  /** Undefined when it is not known what is in force: then everything counts as changed. */
  previous: ClusterPlan | undefined
  choice: Choice
  /** True when the record shows exactly this already: a rebuild, which needs no intent. */
  inForce: boolean
  stopped: Record["stopped"]
}

export type Decision =
  | { kind: "noop" }
  | { kind: "work"; work: Work }
  | { kind: "stop"; stopped: NonNullable<Record["stopped"]> }

/** Works out what to do, and writes nothing. The tips must be of a fetch that began after the record was read. */
export async function workOut(run: Run, tips: Tips, record: Record): Promise<Decision> {
  const { commit } = goalAt(tips, record)
  try {
    const aim = await aimOrNewEpoch(run, tips, record)
    if (await isDone(run, record, aim)) return { kind: "noop" }
    return { kind: "work", work: await judged(run, tips, record, aim) }
  } catch (error) {
    if (!isReasonToStop(error)) throw error
    return { kind: "stop", stopped: { code: error.code, message: errorMessage(error), commit } }
  }
}

/** Work towards an aim that was judged when its intent was opened; throws `rules/…`. */
export async function workAgain(
  run: Run,
  record: Record,
  aim: Aim,
  stopped: Record["stopped"],
): Promise<Work> {
  const plan = await planAt(run.ports, run.memory, run.request.cluster, aim, run.signal)
  return workOf(run, record, aim, plan, await planInForce(run, record), stopped)
}

async function aimOrNewEpoch(run: Run, tips: Tips, record: Record): Promise<Aim> {
  const { ports, signal } = run
  const aim = await aimAt(ports, tips, record, signal)
  if (aim !== undefined) return aim
  if (mayFollowRewrite(ports, tips, record)) return aimInNewEpoch(ports, tips, record, signal)
  const shown = record.commit ?? record.intents[0]?.commit
  throw diverged(goalAt(tips, record).commit, shown ?? "what the record shows")
}

async function judged(run: Run, tips: Tips, record: Record, first: Aim): Promise<Work> {
  const { ports, memory, request, signal } = run
  const plan = await planAt(ports, memory, request.cluster, first, signal)
  const previous = isBehindTargets(record) ? undefined : await planInForce(run, record)
  const planOf = planOfStamps(run, first)
  const survey = previous
    ? undefined
    : await surveyTargets(ports, { source: request.source, plan, planOf }, signal)
  const aim = survey ? await aimOverTargets(run, tips, record, first, survey) : first
  const held = previous ? plannedKeys(previous) : survey?.held
  if (held && !isJudged(record, first, plan)) judgeDeletions(held, plan, ports.settings.guard)
  return workOf(run, record, aim, plan, previous, null)
}

function workOf(
  run: Run,
  record: Record,
  aim: Aim,
  plan: ClusterPlan,
  previous: ClusterPlan | undefined,
  stopped: Record["stopped"],
): Work {
  const choice = chooseTargets(plan, previous, record, run.request.mode === "full")
  const inForce = isInForce(record, aim, plan)
  return { aim, plan, previous, choice, inForce, stopped }
}

/**
 * True when an operator has approved what this deletes, or it needs no judging again: what is in force or begun
 * was judged before, unless an operator's rewind began it, which is an approval of its own.
 */
function isJudged(record: Record, aim: Aim, plan: ClusterPlan): boolean {
  return record.approved === aim.commit || isBegun(record, aim) || isInForce(record, aim, plan)
}

/** What the record's revision gave; undefined when that is no longer known. */
async function planInForce(run: Run, record: Record): Promise<ClusterPlan | undefined> {
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
function isInForce(record: Record, aim: Aim, plan: Pick<ClusterPlan, "digest">): boolean {
  return isShown(record, aim) && record.rules === plan.digest
}

/** At the goal means token and commit, not "or beyond": a rewound branch can have the same count. */
function isShown(record: Record, aim: Aim): boolean {
  return (
    record.commit === aim.commit &&
    record.rulesCommit === aim.rulesCommit &&
    compareTokens(record.token, aim.token) === 0
  )
}

async function isDone(run: Run, record: Record, aim: Aim): Promise<boolean> {
  if (run.request.mode === "full" || !isShown(record, aim)) return false
  if (record.intents.length > 0 || record.failed.length > 0 || record.failedMore > 0) return false
  if (record.stopped !== null) return false
  return record.rules === (await rulesDigestAt(run.ports, run.memory, aim, run.signal))
}

const REASONS_TO_STOP = ["rules/", "guard/", "git/diverged", "git/unknown-commit"] as const

/** Mistakes upstream, which only a commit or an operator can fix; anything else is retried. */
function isReasonToStop(error: unknown): error is HeadraceError {
  return REASONS_TO_STOP.some((code) => hasCode(error, code))
}
