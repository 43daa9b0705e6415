import { isLike } from "../foundation/star-pattern.ts"
import type { TargetId } from "../foundation/target.ts"
import type { RulesBounds } from "../rules/parse-rules.ts"
import { DEFAULT_CLUSTER } from "../rules/resolve-places.ts"
import type { Place, Rule } from "../rules/rule.ts"
import type { WriterBounds } from "../settings/bounds.ts"

/** How large a file, and the files of a target together, may be. */
export type PlanBounds = Pick<WriterBounds, "file" | "target">

/** What a plan takes from the operator, beside rules and tree. */
export interface PlanContext {
  /** ORG/NAME of the repository, for access lists. */
  repo?: string | undefined
  /** What the cluster `default` and the namespace `""` stand for. */
  defaults: { cluster: string; namespace: string }
  /** Several files for one key are an error. */
  strict?: boolean
  /** How large files and targets may be; absent: as large as they are. */
  bounds?: (PlanBounds & RulesBounds) | undefined
  /** Headrace's own namespaces, which no rule may name. */
  reservedNamespaces?: readonly string[] | undefined
  /**
   * The operator's clusters with the namespaces that rules may name there, or without: then the default one alone is open
   * to new ConfigMaps (open-namespaces.ts). Undefined: any cluster, any namespace.
   */
  clusters?: ReadonlyMap<string, { namespaces?: readonly string[] | undefined }> | undefined
  /** Clusters that rules may name and that another program writes, by name or pattern: a plan leaves them out. */
  otherClusters?: readonly string[] | undefined
  /** Where a cluster that rules name has to be listed; absent: in the operator's settings. */
  clustersFrom?: "kubeconfigs" | undefined
}

/** True for a cluster that the operator leaves to another program. One that is listed itself never is. */
export function isLeftToOthers(cluster: string, { clusters, otherClusters = [] }: PlanContext): boolean {
  return !clusters?.has(cluster) && otherClusters.some((pattern) => isLike(cluster, pattern))
}

/** The target of a rule's ConfigMap at a place, defaults filled in. */
export function targetAt(place: Place, name: string, context: PlanContext): TargetId {
  const isDefault = place.cluster === DEFAULT_CLUSTER && !context.clusters?.has(DEFAULT_CLUSTER)
  return {
    cluster: isDefault ? context.defaults.cluster : place.cluster,
    namespace: place.namespace === "" ? context.defaults.namespace : place.namespace,
    name,
  }
}

/** Every target that a rule names, partitions included, each once. */
export function targetsOf(rule: Rule, context: PlanContext): TargetId[] {
  return [...new Set(rule.names)].flatMap((name) =>
    rule.places.map((place) => targetAt(place, name, context)),
  )
}
