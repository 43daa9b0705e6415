import { compareText } from "./canonical-json.ts"

/** A ConfigMap that rules ask for: where it is and what it is called. */
export interface TargetId {
  cluster: string
  namespace: string
  name: string
}

/** `cluster/namespace/name`: unique, since none of the three may hold a slash. */
export function targetText(target: TargetId): string {
  return `${target.cluster}/${target.namespace}/${target.name}`
}

/** Orders targets by cluster, namespace, name. */
export function compareTargets(a: TargetId, b: TargetId): number {
  return (
    compareText(a.cluster, b.cluster) || compareText(a.namespace, b.namespace) || compareText(a.name, b.name)
  )
}
