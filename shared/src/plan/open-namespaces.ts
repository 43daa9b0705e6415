import { isLike } from "../foundation/star-pattern.ts"
import type { TargetId } from "../foundation/target.ts"
import type { PlanContext } from "./plan-context.ts"

/** Namespaces that Kubernetes keeps for itself begin so (kubernetes.io, "Namespaces", initial namespaces). */
const SYSTEM_PREFIX = "kube-"

/**
 * True when a list of `namespaces` opens a namespace: by its name, or by a pattern, in which `*` is any number of letters.
 * No pattern opens one of Kubernetes' own unless it begins with `kube-` itself: `*` must not bring `kube-system`.
 */
export function isListed(namespace: string, namespaces: readonly string[]): boolean {
  return namespaces.some((pattern) => {
    if (!isPattern(pattern)) return pattern === namespace
    if (namespace.startsWith(SYSTEM_PREFIX) && !pattern.startsWith(SYSTEM_PREFIX)) return false
    return isLike(namespace, pattern)
  })
}

/** True when a pattern would open this namespace, were it not one of Kubernetes' own. */
export function isKeptBySystem(namespace: string, namespaces: readonly string[]): boolean {
  return !isListed(namespace, namespaces) && namespaces.some((pattern) => isLike(namespace, pattern))
}

/**
 * True when a target's cluster has no `namespaces` and the target is in another one than the default: there nothing is
 * created, and only what exists is written (docs/decisions/134).
 */
export function isClosedByDefault({ cluster, namespace }: TargetId, context: PlanContext): boolean {
  const known = context.clusters?.get(cluster)
  return known !== undefined && known.namespaces === undefined && namespace !== context.defaults.namespace
}

/** What opens a cluster's namespaces, as it is written in the settings: `namespaces: [ci, ocp]`. */
export function namespacesLine(namespaces: Iterable<string>): string {
  return `namespaces: [${[...new Set(namespaces)].sort().map(inYaml).join(", ")}]`
}

/** YAML takes a leading `*` for an alias, `404` for a number and `true` for a truth value. */
function inYaml(namespace: string): string {
  const isPlain = /^[a-z]/.test(namespace) && !["true", "false", "null"].includes(namespace)
  return isPlain ? namespace : JSON.stringify(namespace)
}

/** The namespaces to list for what is ours: those of the settings, or all of them, as `""`, where they are not named one by one. */
export function namespacesToSearch(namespaces: readonly string[] | undefined): readonly string[] {
  return namespaces === undefined || namespaces.some(isPattern) ? [""] : namespaces
}

function isPattern(namespace: string): boolean {
  return namespace.includes("*")
}
