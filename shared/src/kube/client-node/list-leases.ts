import type { V1Lease } from "@kubernetes/client-node"
import { type AnswerLimits, counted } from "../answer-limits.ts"
import { KubeError } from "../kube-error.ts"
import type { Lease } from "../lease-api.ts"
import { type FetchPage, listPages } from "../list-pages.ts"
import { leasePath, pageQuery } from "../protocol/object-path.ts"
import type { ClusterCaller } from "./call-cluster.ts"

/** Each has a node's report in it. */
const PAGE_SIZE = 250

/** As the server sends it; client-node's V1Lease has the same names. */
interface LeaseList {
  items?: V1Lease[] | null
  metadata?: { resourceVersion?: string; continue?: string }
}

/** The Leases of a namespace that a label selector matches. Throws KubeError. */
export async function listLeases(
  { call }: Pick<ClusterCaller, "call">,
  limits: AnswerLimits,
  namespace: string,
  labelSelector: string,
  signal?: AbortSignal,
): Promise<Lease[]> {
  const what = `list Leases of ${namespace}`
  const fetch: FetchPage = async (size, token) => {
    const path = leasePath(namespace, undefined, pageQuery({ labelSelector }, size, token))
    const { value, bytes } = await call({ what, method: "GET", path }, true, signal)
    const { items, metadata } = value as LeaseList
    const { resourceVersion = "", continue: next } = metadata ?? {}
    return { items: items ?? [], resourceVersion, next, bytes }
  }
  const { items } = await counted(limits, listPages(what, fetch, { pageSize: PAGE_SIZE, most: limits.list }))
  return items.map((item) => fromV1Lease(item as V1Lease))
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
