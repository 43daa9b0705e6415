import { closestWord, suggestion } from "../foundation/closest-word.ts"
import type { ErrorCode } from "../foundation/errors.ts"
import type { TargetId } from "../foundation/target.ts"
import { illegalName, illegalNamespace } from "./legal-name.ts"
import { isKeptBySystem, isListed, namespacesLine } from "./open-namespaces.ts"
import type { PlanContext } from "./plan-context.ts"

/** Something against a target: a problem without its place. */
export interface Objection {
  code: ErrorCode
  message: string
  hint?: string
  collision?: { key: string; paths: readonly string[] }
}

/**
 * Why a target may not be where it is, or be called as it is; undefined when it may. `named`: all that the rules name in its
 * cluster, so that the hint gives the whole list of namespaces, with which no other of them is refused.
 */
export function judgePlace(
  target: TargetId,
  context: PlanContext,
  named: readonly TargetId[] = [target],
): Objection | undefined {
  const { cluster, namespace, name } = target
  const wrongName = illegalName(name)
  if (wrongName) {
    return { code: "plan/illegal-name", message: `"${name}" cannot name a ConfigMap`, hint: wrongName }
  }
  const wrongNamespace = illegalNamespace(namespace)
  if (wrongNamespace) {
    return {
      code: "plan/illegal-name",
      message: `"${namespace}" cannot name a namespace`,
      hint: wrongNamespace,
    }
  }
  if (context.reservedNamespaces?.includes(namespace)) {
    return {
      code: "plan/reserved-namespace",
      message: `namespace "${namespace}" is Headrace's own`,
      hint: "Choose another namespace for this ConfigMap.",
    }
  }
  if (!context.clusters) return undefined
  const known = context.clusters.get(cluster)
  if (!known) return unknownCluster(cluster, context, [...context.clusters.keys()])
  if (!known.namespaces || isListed(namespace, known.namespaces)) return undefined
  return {
    code: "plan/namespace-not-allowed",
    message: `namespace "${namespace}" is not one of those that rules may name in cluster "${cluster}"`,
    hint: openingHint(namespace, known.namespaces, refusedNamespaces(named, context, known.namespaces)),
  }
}

function unknownCluster(cluster: string, context: PlanContext, known: readonly string[]): Objection {
  const code = "plan/unknown-cluster"
  const closest = closestWord(cluster, known)
  if (context.clustersFrom === "kubeconfigs") {
    const message = `there is no cluster "${cluster}" among the contexts of the kubeconfigs`
    const hint =
      closest === undefined ? "Add a kubeconfig with a context of this name." : suggestion(cluster, known)
    return { code, message, hint }
  }
  const add = 'dd it to "clusters", or to "otherClusters" where another program writes it.'
  return {
    code,
    message: `there is no cluster "${cluster}" in the operator's settings`,
    hint:
      closest === undefined ? `A${add}` : `Check the spelling: did you mean "${closest}"? Otherwise a${add}`,
  }
}

/** Namespaces that rules name in a cluster, that a name can be of, and that its list does not open. */
function refusedNamespaces(
  named: readonly TargetId[],
  { reservedNamespaces = [] }: PlanContext,
  open: readonly string[],
): string[] {
  return named
    .map(({ namespace }) => namespace)
    .filter((one) => !isListed(one, open) && !reservedNamespaces.includes(one) && !illegalNamespace(one))
}

/** An instruction with the line as it has to be: with it no namespace that the rules name is refused. */
function openingHint(namespace: string, open: readonly string[], refused: readonly string[]): string {
  const line = namespacesLine([...open, ...refused])
  if (isKeptBySystem(namespace, open)) {
    return `Add "${namespace}" by name, as a pattern opens no namespace of Kubernetes' own: ${line}.`
  }
  const closest = closestWord(namespace, open)
  const spelling = closest === undefined ? "" : `Check the spelling: did you mean "${closest}"? `
  return `${spelling}To open it, write in the cluster's settings: ${line}.`
}
