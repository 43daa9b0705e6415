import { HeadraceError } from "../../foundation/errors.ts"
import type { PlannedKey } from "../../plan/plan.ts"
import type { OperatorSettings } from "../../settings/operator-settings.ts"
import type { ClusterPlan } from "../run/cluster-plan.ts"

/** `namespace/name` to the keys that a target holds. */
export type KeysByTarget = ReadonlyMap<string, readonly string[]>

/** The keys that a plan gives each target. */
export function plannedKeys(plan: ClusterPlan): KeysByTarget {
  return new Map([...plan.targets].map(([place, { keys }]) => [place, keys.map((key) => key.key)]))
}

/**
 * Throws `guard/deleted-keys` or `guard/deleted-config-maps` when going from what is held to the plan deletes
 * more than the guard lets pass without approval. Targets that the plan refuses keep what they hold, so they
 * count as kept.
 */
export function judgeDeletions(
  held: KeysByTarget,
  plan: ClusterPlan,
  guard: OperatorSettings["guard"],
): void {
  if (guard === "off") return
  let keys = 0
  let deletedKeys = 0
  let configMaps = 0
  let emptied = 0
  for (const [place, before] of held) {
    if (before.length === 0) continue
    keys += before.length
    configMaps += 1
    if (plan.refused.has(place)) continue
    const after = plan.targets.get(place)?.keys ?? []
    deletedKeys += countDeleted(before, after)
    if (after.length === 0) emptied += 1
  }
  if (deletedKeys <= guard.atLeast) return
  if (deletedKeys > keys * guard.deletedKeys) throw tripped("keys", deletedKeys, keys, guard.deletedKeys)
  if (emptied > configMaps * guard.deletedConfigMaps) {
    throw tripped("ConfigMaps", emptied, configMaps, guard.deletedConfigMaps)
  }
}

function countDeleted(before: readonly string[], after: readonly PlannedKey[]): number {
  // Both are in key order most of the time: then nothing needs to be looked up.
  if (before.length === after.length && before.every((key, index) => key === after[index]?.key)) return 0
  const kept = new Set(after.map((key) => key.key))
  return before.filter((key) => !kept.has(key)).length
}

function tripped(what: "keys" | "ConfigMaps", deleted: number, of: number, share: number): HeadraceError {
  const code = what === "keys" ? "guard/deleted-keys" : "guard/deleted-config-maps"
  return new HeadraceError(
    code,
    `this change would delete ${deleted} of ${of} ${what}, more than the guard's ${Math.round(share * 100)}%`,
    { hint: "Run approve --commit SHA if it is meant.", fields: { deleted, of, share } },
  )
}
