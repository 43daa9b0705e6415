import { CoordinationV1Api, type V1Lease } from "@kubernetes/client-node"
import { KubeError } from "../kube-error.ts"
import type { Lease } from "../lease-api.ts"
import type { ClusterCaller } from "./call-cluster.ts"

/** The Leases of a namespace that a label selector matches. Throws KubeError. */
export async function listLeases(
  { call, config }: Pick<ClusterCaller, "call" | "config">,
  namespace: string,
  labelSelector: string,
  signal?: AbortSignal,
): Promise<Lease[]> {
  // The configuration is asked for at each try: a refused credential makes the caller open a new one.
  const list = await call(`list Leases of ${namespace}`, true, signal, (_, callWith) =>
    config().makeApiClient(CoordinationV1Api).listNamespacedLease({ namespace, labelSelector }, callWith),
  )
  return list.items.map(fromV1Lease)
}

function fromV1Lease({ metadata, spec }: V1Lease): Lease {
  if (!metadata?.name || !metadata.namespace) {
    throw new KubeError("kube/unavailable", "the API server's answer is not a Lease")
  }
  const { name, namespace, annotations = {} } = metadata
  const { holderIdentity, renewTime, leaseDurationSeconds = 0 } = spec ?? {}
  return {
    name,
    namespace,
    annotations,
    holder: holderIdentity,
    renewed: renewTime === undefined ? undefined : new Date(renewTime).getTime(),
    duration: leaseDurationSeconds * 1000,
  }
}
