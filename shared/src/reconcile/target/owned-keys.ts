import type { ClusterPlan } from "../run/cluster-plan.ts"
import type { Stamp } from "./ownership.ts"

/** What each target held when it was last stamped, for `foreignKeys: keep`. */
export type PlanOf = (stamp: Stamp) => Promise<ClusterPlan | undefined>

/**
 * `remove`: every key. `keep`: those that the rules gave the target at the commit it was last stamped with,
 * which is when we last knew what of it was ours.
 */
export function ownedKeys(foreignKeys: "remove" | "keep", place: string, planOf: PlanOf) {
  return async (stamp: Stamp | undefined): Promise<(key: string) => boolean> => {
    if (foreignKeys === "remove") return () => true
    const planned = stamp && (await planOf(stamp))?.targets.get(place)
    const keys = new Set(planned?.keys.map((key) => key.key))
    return (key) => keys.has(key)
  }
}
