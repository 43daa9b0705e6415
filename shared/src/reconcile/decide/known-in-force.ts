import { hasCode } from "../../foundation/errors.ts"
import type { SourceRecord } from "../../record/record.ts"
import { isMistake } from "../../record/retry-of-target.ts"
import { type ClusterPlan, withRefused } from "../run/cluster-plan.ts"
import type { DesiredRevision } from "../run/revision.ts"
import type { Run } from "../run/run.ts"
import type { KnownFailures } from "../store/known-failures.ts"
import { isReadable, planAt, planOfStamps, planUnderSettingsOfNow } from "./plan-at.ts"
import { refuseClosed } from "./refuse-closed.ts"
import { type Survey, surveyTargets } from "./survey-targets.ts"

/**
 * What the record's revision gave the targets. Those that a run refused though the plan gives them something are refused
 * here too: they hold what they held before. Undefined when that is not known: the mirror has lost the commit, rules and
 * settings have changed since, or the list of failed targets is lost. Throws `git/…`: what cannot be read now is not
 * unknown.
 */
export async function planInForce(
  run: Run,
  record: SourceRecord,
  failures: KnownFailures,
): Promise<ClusterPlan | undefined> {
  const { commit, rulesCommit } = record
  if (commit === null || !failures.complete) return undefined
  const { ports, memory, request, signal } = run
  if (!(await isReadable(ports, { commit, rulesCommit }, signal))) return undefined
  try {
    const plan = await planAt(ports, memory, request.cluster, { commit, rulesCommit }, signal)
    return plan.digest === record.rules ? withRefused(plan, unreadTargets(failures, plan)) : undefined
  } catch (error) {
    if (hasCode(error, "rules/")) return undefined
    throw error
  }
}

/**
 * `namespace/name` to the reason, of planned targets that hold what they held before the plan came into force: bounds that are
 * larger now, or another version of this program, give them something that was refused then.
 */
export function unreadTargets(
  { failed, held }: KnownFailures,
  plan: Pick<ClusterPlan, "targets">,
): Map<string, string> {
  const unread = failed.filter(
    ({ target, reason, unread, closed, tooLarge }) =>
      plan.targets.has(target) && (unread || closed || tooLarge || held.has(target) || isMistake(reason)),
  )
  return new Map(unread.map(({ target, reason }) => [target, reason]))
}

/** True when a plan writes what the plan in force refused: nothing has judged what that takes away. */
export function hasUnjudged(previous: ClusterPlan | undefined, plan: Pick<ClusterPlan, "targets">): boolean {
  return previous !== undefined && [...previous.refused.keys()].some((place) => plan.targets.has(place))
}

/**
 * Reads the named ConfigMaps of which no plan says what they hold: all of them, or those that the plan in force refused.
 * `plan` is the whole one with those refused that may not be read, or would be new in a closed namespace. Throws `kube/…`,
 * `git/…`.
 */
export async function surveyUnknown(
  run: Run,
  {
    record,
    desired,
    whole,
    previous,
  }: {
    record: SourceRecord
    desired: DesiredRevision
    whole: ClusterPlan
    previous: ClusterPlan | undefined
  },
): Promise<{ plan: ClusterPlan; survey: Survey }> {
  const open = await refuseClosed(run, { root: record.root, whole, previous })
  const unknown = [...open.targets].filter(([place]) => previous?.refused.has(place) ?? true)
  const plan = { ...open, targets: new Map(unknown) }
  const planOf = planOfStamps(run, desired)
  const { source } = run.request
  const shown = record.commit === null ? undefined : () => planUnderSettingsOfNow(run, record)
  const survey = await surveyTargets(run.ports, { source, plan, planOf, shown }, run.signal)
  return { plan: withRefused(open, survey.unreadable), survey }
}
