import { HeadraceError, hasCode } from "../foundation/errors.ts"
import type { Record, Token } from "../record/record.ts"
import { compareTokens, NO_TOKEN } from "../record/token.ts"
import {
  type Aim,
  aimAt,
  aimInNewEpoch,
  diverged,
  inEpochOfClock,
  mayFollowRewrite,
  type Shown,
  shownBy,
  type Tips,
} from "./aim.ts"
import { type Choice, chooseTargets } from "./choose-targets.ts"
import { judgeDeletions, plannedKeys } from "./judge-deletions.ts"
import { type ClusterPlan, planAt, rulesDigestAt } from "./plan-at.ts"
import type { Run } from "./run.ts"
import { STORE_SELECTOR } from "./store-objects.ts"
import { type Survey, surveyTargets } from "./survey-targets.ts"

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

/** `floor`: the largest token that targets carry, where no record tells; an operator's epoch must exceed it. */
export type Decision =
  | { kind: "noop" }
  | { kind: "work"; work: Work }
  | { kind: "stop"; stopped: NonNullable<Record["stopped"]>; floor: Token }

/** Works out what to do, and writes nothing. The tips must be of a fetch that began after the record was read. */
export async function workOut(run: Run, tips: Tips, record: Record | undefined): Promise<Decision> {
  const wanted = { commit: tips.source.commit, floor: NO_TOKEN }
  try {
    const shown = shownBy(record)
    const aim = await aimOrNewEpoch(run, tips, record, shown)
    wanted.commit = aim.commit
    if (await isDone(run, record, aim)) return { kind: "noop" }
    return await judged(run, tips, record, aim, wanted)
  } catch (error) {
    if (!isReasonToStop(error)) throw error
    const stopped = { code: error.code, message: error.message, commit: wanted.commit }
    return { kind: "stop", stopped, floor: wanted.floor }
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
  const previous = await planInForce(run, record)
  const choice = chooseTargets(plan, previous, record, run.request.mode === "full")
  const inForce = isInForce(record, aim) && record.rules === plan.digest
  return { aim, plan, previous, choice, inForce, stopped }
}

async function aimOrNewEpoch(
  run: Run,
  tips: Tips,
  record: Record | undefined,
  shown: readonly Shown[],
): Promise<Aim> {
  const aim = await aimAt(run.ports, tips, record, shown, run.signal)
  if (aim !== undefined) return aim
  if (mayFollowRewrite(run.ports, tips, record))
    return aimInNewEpoch(run.ports, tips, record, shown, run.signal)
  throw diverged(tips.source.commit, record)
}

async function judged(
  run: Run,
  tips: Tips,
  record: Record | undefined,
  first: Aim,
  known: { floor: Token },
): Promise<Decision> {
  const { ports, memory, request, signal } = run
  const plan = await planAt(ports, memory, request.cluster, first, signal)
  const previous = await planInForce(run, record)
  let aim = first
  let held = previous && plannedKeys(previous)
  if (held === undefined) {
    const survey = await surveyTargets(ports, request.source, plan, signal)
    held = survey.held
    known.floor = survey.shown[0]?.token ?? NO_TOKEN
    aim = await aimOrNewEpoch(run, tips, record, [...shownBy(record), ...survey.shown])
    if (isBlank(record) && (await wasHereBefore(run, survey))) aim = inEpochOfClock(aim, ports.clock.now())
  }
  if (record?.approved !== aim.commit) judgeDeletions(held, plan, ports.settings.guard)
  const inForce = record !== undefined && isInForce(record, aim) && record.rules === plan.digest
  const choice = chooseTargets(plan, previous, record, request.mode === "full")
  return { kind: "work", work: { aim, plan, previous, choice, inForce, stopped: null } }
}

/** True when the record says nothing of what was written before. */
function isBlank(record: Record | undefined): boolean {
  return record === undefined || (record.commit === null && record.intents.length === 0)
}

/** True when targets or the store show that there was a record once: it was lost. */
async function wasHereBefore(run: Run, survey: Survey): Promise<boolean> {
  const { kube, settings } = run.ports
  if (survey.shown.length > 0 || !settings.store) return survey.shown.length > 0
  const { items } = await kube.list(settings.namespace, { labelSelector: STORE_SELECTOR }, run.signal)
  return items.length > 0
}

/** What the record's revision gave; undefined when that cannot be told any more. */
async function planInForce(run: Run, record: Record | undefined): Promise<ClusterPlan | undefined> {
  if (record === undefined || record.commit === null) return undefined
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

/** At the goal means token and commit, not "or beyond": a rewound branch can have the same count. */
function isInForce(record: Record, aim: Aim): boolean {
  return (
    record.commit === aim.commit &&
    record.rulesCommit === aim.rulesCommit &&
    compareTokens(record.token, aim.token) === 0
  )
}

async function isDone(run: Run, record: Record | undefined, aim: Aim): Promise<boolean> {
  if (record === undefined || run.request.mode === "full" || !isInForce(record, aim)) return false
  if (record.intents.length > 0 || record.failed.length > 0 || record.failedMore > 0) return false
  if (record.stopped !== null) return false
  return record.rules === (await rulesDigestAt(run.ports, run.memory, aim, run.signal))
}

/** Mistakes upstream, that only a commit or an operator can mend; anything else is tried again. */
function isReasonToStop(error: unknown): error is HeadraceError {
  return ["rules/", "guard/", "git/diverged", "git/unknown-commit"].some((code) => hasCode(error, code))
}
