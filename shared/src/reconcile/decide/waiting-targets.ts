import { type Choice, type ClusterPlan, placeText } from "../run/cluster-plan.ts"

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
