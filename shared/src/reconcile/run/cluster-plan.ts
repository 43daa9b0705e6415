import type { PlannedTarget } from "../../plan/plan.ts"

/** What one cluster should hold at a revision. */
export interface ClusterPlan {
  /** Digest of the rules and of every setting that affects their meaning. */
  digest: string
  /** By `namespace/name`, in target order. */
  targets: ReadonlyMap<string, PlannedTarget>
  /** `namespace/name` of targets with a mistake to its text: they keep what they hold. */
  refused: ReadonlyMap<string, string>
}

/** Which targets a run looks at, and which of them must carry its token when it is done. */
export interface Choice {
  /** Targets to read and, where they differ, to write. */
  visit: PlannedTarget[]
  /**
   * `namespace/name` of those that leave this run with its token even where their content is right already.
   * A writer that was paused may still hold a write for any of them; the token is what refuses it.
   */
  stamp: ReadonlySet<string>
  /** Targets whose plan differs from the one in force, or all where that is not known. */
  changed: ReadonlySet<string>
  /** True when `stamp` is every target. */
  everything: boolean
}

/** `namespace/name`: a target within its cluster. */
export function placeText(target: { namespace: string; name: string }): string {
  return `${target.namespace}/${target.name}`
}

/** The plan with these targets refused, for reasons that are no mistake of the rules. */
export function withRefused(plan: ClusterPlan, refused: ReadonlyMap<string, string>): ClusterPlan {
  if (refused.size === 0) return plan
  const targets = new Map([...plan.targets].filter(([place]) => !refused.has(place)))
  return { ...plan, targets, refused: new Map([...plan.refused, ...refused]) }
}
