import type { PlannedKey, PlannedTarget } from "../../plan/plan.ts"
import { tooLargeReason } from "../../record/record.ts"
import { DEFAULT_WRITER_BOUNDS } from "../../settings/bounds.ts"
import { type ClusterPlan, withRefused } from "../run/cluster-plan.ts"
import type { Run } from "../run/run.ts"

/** The plan without the targets whose new content is more than one reconcile may write. */
export function withinChange(
  { ports }: Pick<Run, "ports">,
  plan: ClusterPlan,
  previous: ClusterPlan | undefined,
): ClusterPlan {
  const { change } = ports.settings.bounds ?? DEFAULT_WRITER_BOUNDS
  const refused = beyondChange(plan, previous, change)
  if (refused.size === 0) return plan
  ports.onBreach?.("change")
  ports.log.warn({ targets: [...refused.keys()].slice(0, 10), count: refused.size }, "a change is too large")
  return withRefused(plan, refused)
}

/**
 * `namespace/name` to the reason, of the targets that a reconcile leaves for later, so that its new content stays
 * within `most` bytes: those with the most new content, as few as that takes. `previous`: what is in force; undefined:
 * not known, so that everything is new. Pure; the same for the same two plans.
 */
export function beyondChange(
  plan: Pick<ClusterPlan, "targets">,
  previous: Pick<ClusterPlan, "targets"> | undefined,
  most: number,
): ReadonlyMap<string, string> {
  const fresh = [...plan.targets].map(([place, planned]) => ({
    place,
    bytes: newBytes(planned, previous?.targets.get(place)),
  }))
  const whole = fresh.reduce((sum, { bytes }) => sum + bytes, 0)
  const refused = new Map<string, string>()
  let left = whole
  for (const { place, bytes } of fresh.toSorted((a, b) => b.bytes - a.bytes)) {
    if (left <= most) break
    left -= bytes
    const why = `ConfigMap ${place} has ${bytes} bytes of new content, of ${whole} in this change, and bounds.change is ${most}`
    refused.set(place, tooLargeReason(why))
  }
  return refused
}

/** Bytes of the files that the target in force does not hold, each content once. */
function newBytes(planned: PlannedTarget, held: PlannedTarget | undefined): number {
  if (held?.keys === planned.keys) return 0
  const known = new Set(held?.keys.map(({ file }) => file.oid))
  return sizeOf(planned.keys.filter(({ file }) => !known.has(file.oid)))
}

function sizeOf(keys: readonly PlannedKey[]): number {
  const sizes = new Map(keys.map(({ file }) => [file.oid, file.size]))
  return [...sizes.values()].reduce((sum, size) => sum + size, 0)
}
