import { HeadraceError } from "../foundation/errors.ts"
import type { OperatorSettings } from "../settings/operator-settings.ts"
import type { ClusterPlan } from "./plan-at.ts"

/** `namespace/name` to the keys that a target holds. */
export type KeysByTarget = ReadonlyMap<string, ReadonlySet<string>>

/** The keys that a plan gives each target. */
export function plannedKeys(plan: ClusterPlan): KeysByTarget {
  return new Map(
    [...plan.targets].map(([place, planned]) => [place, new Set(planned.keys.map((key) => key.key))]),
  )
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
  const next = plannedKeys(plan)
  let keys = 0
  let deletedKeys = 0
  let configMaps = 0
  let emptied = 0
  for (const [place, before] of held) {
    if (before.size === 0) continue
    keys += before.size
    configMaps += 1
    if (plan.refused.has(place)) continue
    const after = next.get(place)
    const deleted = [...before].filter((key) => !after?.has(key)).length
    deletedKeys += deleted
    if ((after?.size ?? 0) === 0) emptied += 1
  }
  if (deletedKeys <= guard.atLeast) return
  if (deletedKeys > keys * guard.deletedKeys) throw tripped("keys", deletedKeys, keys, guard.deletedKeys)
  if (emptied > configMaps * guard.deletedConfigMaps) {
    throw tripped("ConfigMaps", emptied, configMaps, guard.deletedConfigMaps)
  }
}

function tripped(what: "keys" | "ConfigMaps", deleted: number, of: number, share: number): HeadraceError {
  const code = what === "keys" ? "guard/deleted-keys" : "guard/deleted-config-maps"
  return new HeadraceError(
    code,
    `this change would delete ${deleted} of ${of} ${what}, more than the guard's ${Math.round(share * 100)}%`,
    { hint: "If it is meant, run approve --commit SHA.", fields: { deleted, of, share } },
  )
}
