import { DEFAULT_WRITER_BOUNDS } from "../../settings/bounds.ts"
import { type ClusterPlan, withRefused } from "../run/cluster-plan.ts"
import type { Run } from "../run/run.ts"
import { beyondChange } from "./bound-change.ts"

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
