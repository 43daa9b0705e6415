import { errorMessage, type HeadraceError, hasCode } from "../../foundation/errors.ts"
import type { SourceRecord } from "../../record/record.ts"
import { keepsSpentWord } from "../../record/spent-words.ts"
import { compareTokens } from "../../record/token.ts"
import { type Choice, type ClusterPlan, withRefused } from "../run/cluster-plan.ts"
import type { DesiredRevision } from "../run/revision.ts"
import type { Run } from "../run/run.ts"
import { type KnownFailures, knownFailures } from "../store/known-failures.ts"
import { withinChange } from "./bound-change.ts"
import { chooseTargets } from "./choose-targets.ts"
import { beyondAll, desiredAfterSurvey, isPutBack } from "./desired-after-survey.ts"
import { desiredOrNewEpoch } from "./desired-or-new-epoch.ts"
import { goalAt, type Tips } from "./desired-revision.ts"
import { judgeSettings, settingsOfRecord } from "./judge-settings.ts"
import { type Judged, judgeWork, UNJUDGED } from "./judge-work.ts"
import { hasUnjudged, planInForce, surveyUnknown, unreadTargets } from "./known-in-force.ts"
import { passGates } from "./pass-gates.ts"
import { isReadable, planAt, planUnderSettingsOfNow, rulesDigestAt } from "./plan-at.ts"
import { verifyRevision } from "./verify-revision.ts"
import { waitingTargets, withoutWaiting } from "./waiting-targets.ts"

/** Everything that writing needs to know: planned, judged, chosen. */
export interface Work {
  desired: DesiredRevision
  plan: ClusterPlan
  /** Undefined when it is not known what is in force: then everything counts as changed. */
  previous: ClusterPlan | undefined
  choice: Choice
  /** `namespace/name` to the reason, of targets whose named ConfigMaps wait until no rollout can return. */
  waiting: ReadonlyMap<string, string>
  /** The failed targets that the record knows of. */
  failures: KnownFailures
  judged: Judged
  /** True when the record shows exactly this already: a rebuild, which needs no intent. */
  inForce: boolean
  stopped: SourceRecord["stopped"]
  /** The failed targets that the record lists afterwards, where the view is another revision's; absent: what fails now. */
  listed?: KnownFailures["failed"]
}

/** `refuse`: other settings than these are followed; nothing is written but `next`, the record that says so. */
export type Decision =
  | { kind: "noop"; failures: KnownFailures }
  | { kind: "work"; work: Work }
  | { kind: "stop"; stopped: NonNullable<SourceRecord["stopped"]>; failures: KnownFailures }
  | {
      kind: "refuse"
      stopped: NonNullable<SourceRecord["stopped"]>
      next: SourceRecord
      failures: KnownFailures
    }

/** Works out what to do, and writes nothing. The tips must be of a fetch that began after the record was read. */
export async function workOut(run: Run, tips: Tips, record: SourceRecord): Promise<Decision> {
  const revision = goalAt(tips, record)
  const failures = await knownFailures(run.ports, run.memory, record, run.signal)
  const refused = judgeSettings(record, run.ports.settings)
  if (refused) return refuse(run, record, revision.commit, refused, failures)
  try {
    const desired = await desiredOrNewEpoch(run, tips, record)
    if (await isDone(run, record, desired, failures)) return { kind: "noop", failures }
    await verifyRevision(run.ports, record, desired, run.signal)
    return { kind: "work", work: await judged(run, tips, record, desired, failures) }
  } catch (error) {
    if (!isReasonToStop(error)) throw error
    if (hasCode(error, "git/too-many-files")) run.ports.onBreach?.("files")
    const stopped = { code: error.code, message: errorMessage(error), commit: revision.commit }
    if (!hasCode(error, "guard/"))
      return { kind: "stop", stopped: { ...stopped, ...judgedOf(record) }, failures }
    const { rulesCommit } = revision
    const rules = await rulesDigestAt(run.ports, run.memory, revision, run.signal)
    const since = record.stopped?.judged?.since ?? new Date(run.ports.clock.now()).toISOString()
    return { kind: "stop", stopped: { ...stopped, judged: { rulesCommit, rules, since } }, failures }
  }
}

/** Another reason to stop does not end a guard's: no time passes for it until something is applied. */
function judgedOf({ stopped }: SourceRecord): Pick<NonNullable<SourceRecord["stopped"]>, "judged"> {
  return stopped?.judged ? { judged: stopped.judged } : {}
}

/** What is done where other settings than these are followed. `commit`: the one that waits for it. */
export function refuse(
  { ports }: Pick<Run, "ports">,
  record: SourceRecord,
  commit: string,
  { error, next }: NonNullable<ReturnType<typeof judgeSettings>>,
  failures: KnownFailures,
): Extract<Decision, { kind: "refuse" }> {
  ports.log.error({ err: error }, "these settings may not write")
  const stopped = { code: error.code, message: errorMessage(error), commit, ...judgedOf(record) }
  // The record is of those who may write: an older program says it for itself alone.
  const changed = hasCode(error, "settings/conflict") ? { ...record, settings: next, stopped } : record
  return { kind: "refuse", stopped, next: changed, failures }
}

/**
 * Work towards a revision of the record: what it shows, or what was begun. Undefined where that is no longer the same:
 * other rules or settings give it another meaning, which the guard does not let pass. Throws `rules/…`.
 */
export async function workAgain(
  run: Run,
  record: SourceRecord,
  desired: DesiredRevision,
  stopped: SourceRecord["stopped"],
  failures: KnownFailures,
): Promise<Work | undefined> {
  const { ports, memory, request, signal } = run
  const whole = await planAt(ports, memory, request.cluster, desired, signal)
  const previous = await planInForce(run, record, failures)
  const isLastGood = isInForce(record, desired, whole)
  if (!isLastGood && !(await mayBeEnded(run, record, desired))) return undefined
  const { plan, survey } = await surveyUnknown(run, { record, desired, whole, previous })
  const known = { desired, previous, failures, stopped }
  if (isLastGood && failures.complete && !hasUnjudged(previous, plan)) {
    return await workOf(run, record, { ...known, plan, judged: UNJUDGED, inForce: true })
  }
  try {
    const judged = await judgeWork(run, { record, desired, plan, previous, survey, failures })
    return await workOf(run, record, { ...known, plan, judged, inForce: false })
  } catch (error) {
    if (!hasCode(error, "guard/")) throw error
    if (!isLastGood || !failures.complete) return undefined
    // What could not be read before waits for an operator; all else is as it was.
    const unread = withRefused(plan, unreadTargets(failures, plan))
    return await workOf(run, record, { ...known, plan: unread, judged: UNJUDGED, inForce: true })
  }
}

/**
 * Work towards what was in force before an earlier record was put back, in an epoch beyond it: a stopped source shows that,
 * as its nodes do, and not what the earlier record says. A target's stamp says which commit it was; it counts when its token
 * is the one that is known from elsewhere to have been in force (known-token.ts), since a stamp alone has no say. Undefined
 * where none does, or the guard does not let it pass: all stays as it is.
 */
export async function workBeyond(
  run: Run,
  record: SourceRecord,
  stopped: SourceRecord["stopped"],
  failures: KnownFailures,
): Promise<Work | undefined> {
  const { ports, memory, request, signal } = run
  const { beyond } = run
  const { commit, rulesCommit, token } = record
  if (beyond === undefined || commit === null) return undefined
  if (!(await isReadable(ports, { commit, rulesCommit }, signal))) return undefined
  const earlier = await planAt(ports, memory, request.cluster, { commit, rulesCommit }, signal)
  const around = { record, desired: { commit, rulesCommit, token }, whole: earlier, previous: undefined }
  const { newest } = (await surveyUnknown(run, around)).survey
  if (newest === undefined || compareTokens(newest.token, beyond) !== 0) return undefined
  const desired = beyondAll(run, newest, [beyond])
  const whole = await planAt(ports, memory, request.cluster, desired, signal)
  const { plan, survey } = await surveyUnknown(run, { record, desired, whole, previous: undefined })
  try {
    const judged = await judgeWork(run, { record, desired, plan, previous: undefined, survey, failures })
    return await workOf(run, record, {
      desired,
      plan,
      previous: undefined,
      failures,
      judged,
      stopped,
      inForce: false,
    })
  } catch (error) {
    if (hasCode(error, "guard/")) return undefined
    throw error
  }
}

/** What was begun is ended; of an operator's `rewind` nothing is written yet, and a gate may refuse it. */
async function mayBeEnded(run: Run, record: SourceRecord, desired: DesiredRevision): Promise<boolean> {
  if (record.intents.length === 0) return false
  try {
    await passGates(run, { record, desired })
    return true
  } catch (error) {
    if (hasCode(error, "gate/")) return false
    throw error
  }
}

async function judged(
  run: Run,
  tips: Tips,
  record: SourceRecord,
  first: DesiredRevision,
  failures: KnownFailures,
): Promise<Work> {
  const { ports, memory, request, signal } = run
  const whole = await planAt(ports, memory, request.cluster, first, signal)
  const previous = isPutBack(run, record) ? undefined : await planInForce(run, record, failures)
  const seen = await surveyUnknown(run, { record, desired: first, whole, previous })
  const { survey } = seen
  const plan = withinChange(run, seen.plan, previous)
  const desired = previous ? first : await desiredAfterSurvey(run, tips, record, first, survey)
  await passGates(run, { record, desired, newest: survey.newest?.commit })
  const isWhole = failures.complete && !hasUnjudged(previous, plan)
  const judgement =
    isWhole && isInForce(record, first, plan)
      ? UNJUDGED
      : await judgeWork(run, { record, desired: first, plan, previous, survey, failures })
  const inForce = isWhole && isInForce(record, desired, plan)
  return workOf(run, record, {
    desired,
    plan,
    previous,
    failures,
    judged: judgement,
    stopped: null,
    inForce,
  })
}

async function workOf(
  run: Run,
  record: SourceRecord,
  known: Omit<Work, "choice" | "waiting">,
): Promise<Work> {
  const { plan, previous, failures } = known
  const back = record.previous ? await planUnderSettingsOfNow(run, record.previous) : undefined
  const waiting = waitingTargets(plan, back)
  const choice = chooseTargets(plan, previous, record, failures, run.request.mode === "full")
  return { ...known, choice: withoutWaiting(choice, waiting), waiting }
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

async function isDone(
  run: Run,
  record: SourceRecord,
  desired: DesiredRevision,
  failures: KnownFailures,
): Promise<boolean> {
  if (run.request.mode === "full" || run.beyond || !isShown(record, desired)) return false
  if (record.intents.length > 0 || failures.failed.length > 0 || !failures.complete) return false
  if (record.stopped !== null || keepsSpentWord(record, run.ports.clock.now())) return false
  const settings = settingsOfRecord(run.ports.settings)
  if (settings && settings.version !== record.settings?.version) return false
  return record.rules === (await rulesDigestAt(run.ports, run.memory, desired, run.signal))
}

const REASONS_TO_STOP = [
  "rollout/baseline-unknown",
  "rules/",
  "guard/",
  "gate/",
  "verify/",
  "git/diverged",
  "git/object-too-large",
  "git/too-many-files",
  "git/unknown-commit",
] as const

/** Mistakes upstream, which only a commit or an operator can fix; anything else is retried. */
export function isReasonToStop(error: unknown): error is HeadraceError {
  return !hasCode(error, "gate/unjudged") && REASONS_TO_STOP.some((code) => hasCode(error, code))
}
