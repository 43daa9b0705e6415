import type { SourceRecord } from "../../record/record.ts"
import { type Choice, type ClusterPlan, placeText } from "../run/cluster-plan.ts"
import type { Run } from "../run/run.ts"
import { planAtStamp } from "./plan-at.ts"

/**
 * Targets of a plan that what a rollout may return to refuses, `namespace/name` to the reason why it does. They hold
 * what they held before that, which no plan says: once their named ConfigMaps were written, no return could restore them.
 * So these wait until nothing leads back. The store has them, since it keeps what it had. Pure.
 */
export function waitingTargets(
  plan: Pick<ClusterPlan, "targets">,
  back: Pick<ClusterPlan, "refused"> | undefined,
): ReadonlyMap<string, string> {
  return new Map([...(back?.refused ?? [])].filter(([place]) => plan.targets.has(place)))
}

/** The choice without the named ConfigMaps of these targets. Pure. */
export function withoutWaiting(choice: Choice, waiting: ReadonlyMap<string, string>): Choice {
  if (waiting.size === 0) return choice
  const visit = choice.visit.map((planned) =>
    waiting.has(placeText(planned.target)) ? { ...planned, view: false } : planned,
  )
  return { ...choice, visit }
}

/** What the rules and settings of now make of a revision; undefined where its commit or its rules are lost. Throws `git/…`. */
export async function planUnderSettingsOfNow(
  { ports, memory, request, signal }: Run,
  { commit, rulesCommit }: Pick<SourceRecord, "commit" | "rulesCommit">,
): Promise<ClusterPlan | undefined> {
  if (commit === null) return undefined
  const revision = { stamp: { commit, rulesCommit }, rulesCommit }
  return planAtStamp(ports, memory, request.cluster, revision, signal)
}
