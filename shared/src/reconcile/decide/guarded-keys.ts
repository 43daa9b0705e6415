import { isBlank } from "../../foundation/content-id.ts"
import { compareSorted } from "../../foundation/sorted-list.ts"
import type { GuardedKey, GuardedTarget } from "../../gates/guard/measure-change.ts"
import type { PlannedKey, PlannedTarget } from "../../plan/plan.ts"
import type { ClusterPlan } from "../run/cluster-plan.ts"

/** The keys of a planned target as the guard judges them. */
export function guardedKeys({ keys }: Pick<PlannedTarget, "keys">): GuardedKey[] {
  return keys.map(guardedKey)
}

function guardedKey({ key, file }: PlannedKey): GuardedKey {
  return { key, content: file.oid, empty: isBlank(file) }
}

/** The targets of a plan as the guard judges them. */
export function guardedTargets({ targets }: Pick<ClusterPlan, "targets">) {
  return {
    get(place: string): GuardedKey[] | undefined {
      const planned = targets.get(place)
      return planned && guardedKeys(planned)
    },
  }
}

/** What a target holds by the plan in force, compared with what it is to hold. */
export function comparedKeys(was: PlannedTarget, is: PlannedTarget | undefined): GuardedTarget {
  if (is === undefined) return guardedKeys(was)
  const differences = compareSorted(
    was.keys,
    is.keys,
    ({ key }) => key,
    (one, other) => one.file.oid === other.file.oid,
  )
  const before = differences.flatMap(({ before: one }) => (one ? guardedKey(one) : []))
  const after = differences.flatMap(({ after: one }) => (one ? guardedKey(one) : []))
  const changed = new Set(before.map(({ key }) => key))
  const staysFilled = was.keys.some(({ key, file }) => !isBlank(file) && !changed.has(key))
  return { before, after, same: was.keys.length - before.length, staysFilled }
}

/**
 * Keys of a target that may be ours, by rules that are no longer followed, or another program's, as the guard counts them:
 * where they go or are emptied, never as ones that stay or are renamed. So they make no share look smaller.
 */
export function keysInDoubt(
  found: readonly GuardedKey[],
  { keys }: Pick<PlannedTarget, "keys">,
): GuardedKey[] {
  const named = new Map(keys.map(({ key, file }) => [key, file]))
  const lost = found.filter(({ key, empty }) => {
    const next = named.get(key)
    return next === undefined || (isBlank(next) && !empty)
  })
  return lost.map((one) => ({ ...one, content: undefined }))
}

/** A name of the kind that the plan gives contents. */
export function likeOf(plan: Pick<ClusterPlan, "targets">): string {
  for (const { keys } of plan.targets.values()) {
    const [first] = keys
    if (first) return first.file.oid
  }
  return ""
}
