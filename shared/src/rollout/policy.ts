import { canonicalJson } from "../foundation/canonical-json.ts"
import { sha256 } from "../foundation/digest.ts"
import { isLike } from "../foundation/star-pattern.ts"
import type { RolloutSettings } from "../settings/rollout-settings.ts"

/** A source's policy and the clusters that it is for: what every decision of a rollout rests on. */
export interface RolloutPolicy extends RolloutSettings {
  /** Every cluster of the settings, in order of their names. */
  clusters: readonly string[]
}

/** Sixteen hex digits that a policy and its clusters have alone. */
export function policyDigest(policy: RolloutPolicy): string {
  return sha256(canonicalJson(policy)).slice(0, 16)
}

/** The clusters of a stage. */
export function clustersOf(policy: RolloutPolicy, stage: number): string[] {
  const patterns = policy.stages[stage]?.clusters
  if (patterns === undefined) return [...policy.clusters]
  return policy.clusters.filter((cluster) => patterns.some((pattern) => isLike(cluster, pattern)))
}

/**
 * The stages that a cluster goes through, in order. The last of them is the first stage that is for all of its nodes:
 * later ones find nothing left to do there.
 */
export function stagesOf(policy: RolloutPolicy, cluster: string): number[] {
  const own = policy.stages.flatMap((_, stage) =>
    clustersOf(policy, stage).includes(cluster) ? [stage] : [],
  )
  const whole = own.findIndex((stage) => policy.stages[stage]?.nodes === undefined)
  return own.slice(0, whole + 1)
}

/** The stage that is for all nodes of a cluster. */
export function wholeStageOf(policy: RolloutPolicy, cluster: string): number {
  return stagesOf(policy, cluster).at(-1) ?? policy.stages.length - 1
}

/**
 * The cluster that alone takes new commits: the first by name of the first stage that is not skipped. All others follow
 * its record, so that two clusters never begin two rollouts side by side.
 */
export function leaderOf(policy: RolloutPolicy, skipped: ReadonlySet<string>): string | undefined {
  const inOrder = policy.stages.flatMap((_, stage) => clustersOf(policy, stage))
  return inOrder.find((cluster) => !skipped.has(cluster))
}
