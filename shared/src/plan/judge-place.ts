import { suggestion } from "../foundation/closest-word.ts"
import type { ErrorCode } from "../foundation/errors.ts"
import type { TargetId } from "../foundation/target.ts"
import { illegalName, illegalNamespace } from "./legal-name.ts"
import { isKeptBySystem, isListed } from "./open-namespaces.ts"
import type { PlanContext } from "./plan-context.ts"

/** Something against a target: a problem without its place. */
export interface Objection {
  code: ErrorCode
  message: string
  hint?: string
  collision?: { key: string; paths: readonly string[] }
}

/** Why a target may not be where it is, or be called as it is; undefined when it may. */
export function judgePlace(target: TargetId, context: PlanContext): Objection | undefined {
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
  if (!known) {
    return {
      code: "plan/unknown-cluster",
      message: `there is no cluster "${cluster}" in the operator's settings`,
      hint: suggestion(cluster, context.clusters.keys()),
    }
  }
  if (!known.namespaces || isListed(namespace, known.namespaces)) return undefined
  return {
    code: "plan/namespace-not-allowed",
    message: `namespace "${namespace}" is not one of those that rules may name in cluster "${cluster}"`,
    hint: isKeptBySystem(namespace, known.namespaces)
      ? `Add "${namespace}" to its "namespaces" by name: a pattern opens no namespace of Kubernetes' own.`
      : suggestion(namespace, known.namespaces),
  }
}
