import type { PlannedTarget } from "../../plan/plan.ts"
import { unfinishedTargets } from "../../record/intents.ts"
import type { SourceRecord } from "../../record/record.ts"
import type { Choice, ClusterPlan } from "../run/cluster-plan.ts"
import type { KnownFailures } from "../store/known-failures.ts"

/**
 * Chooses the targets of a run. Pure.
 *
 * Why these three must be stamped (docs/architecture.md#invariants, 2): a paused writer's late write does harm only if its content is
 * not the one in force. Then either its target's plan has changed since (changed), or its work was never
 * committed (an open intent), or a later commit could not reach that target (failed). Everything else may be
 * left alone when its content is right, so that a rebuild of an unchanged tree writes nothing.
 */
export function chooseTargets(
  plan: ClusterPlan,
  previous: ClusterPlan | undefined,
  record: SourceRecord,
  failures: Pick<KnownFailures, "failed" | "complete">,
  full: boolean,
): Choice {
  const targets = [...plan.targets.values()]
  const unfinished = unfinishedTargets(record)
  const failed = new Set(failures.failed.map((failure) => failure.target))
  const places = [...plan.targets.keys()]
  const changed = new Set(
    places.filter((place) => !samePlan(plan.targets.get(place), previous?.targets.get(place))),
  )
  const everything = previous === undefined || unfinished === "all" || !failures.complete
  const stamp = everything
    ? new Set(places)
    : new Set(places.filter((place) => changed.has(place) || unfinished.has(place) || failed.has(place)))
  const all = everything || full || plan.digest !== previous.digest
  const visit = all
    ? targets
    : places.flatMap((place) => (stamp.has(place) ? (plan.targets.get(place) ?? []) : []))
  return { visit, stamp, changed, everything }
}

/** True when both plans put the same files under the same keys in the same way. */
export function samePlan(a: PlannedTarget | undefined, b: PlannedTarget | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  if (a === b) return true
  if (a.view === b.view && a.keys === b.keys) return true
  if (a.view !== b.view || a.keys.length !== b.keys.length) return false
  return a.keys.every((key, index) => {
    const other = b.keys[index]
    if (key === other) return true
    return (
      other !== undefined &&
      key.key === other.key &&
      key.gzip === other.gzip &&
      key.file.oid === other.file.oid &&
      key.file.path === other.file.path &&
      key.file.executable === other.file.executable
    )
  })
}
