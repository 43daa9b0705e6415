import { type NodeReport, REPORT_ANNOTATION } from "@headrace/shared/record/node-report"
import { z } from "zod"

/** The two calls of the light client that a report needs. */
export interface LeaseClient {
  getJson(path: string, signal?: AbortSignal): Promise<unknown>
  sendJson(method: "POST" | "PUT", path: string, body: object, signal?: AbortSignal): Promise<unknown>
}

export interface LeasePlace {
  namespace: string
  /** The node's name, as the Lease's holder. */
  node: string
  /** How long a report counts, in seconds. */
  seconds: number
}

const Existing = z.looseObject({ metadata: z.looseObject({ resourceVersion: z.string() }) })

/** `headrace-agent-` and the node's name as a Kubernetes name (RFC 1123, 253 characters at most). */
export function leaseName(node: string): string {
  const name = node
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, "-")
    .replace(/\.+/g, ".")
  return `headrace-agent-${name}`.slice(0, 253).replace(/[^a-z0-9]+$/, "")
}

/** Writes a node's report as its Lease: one object per node, replaced by whoever speaks for that node now. */
export async function writeNodeLease(
  client: LeaseClient,
  place: LeasePlace,
  report: NodeReport,
  now: number,
  signal: AbortSignal,
): Promise<void> {
  const leases = `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(place.namespace)}/leases`
  const path = `${leases}/${leaseName(place.node)}`
  const existing = await client.getJson(path, signal)
  const lease = leaseOf(place, report, now)
  if (existing === undefined) {
    await client.sendJson("POST", leases, lease, signal)
    return
  }
  const { resourceVersion } = Existing.parse(existing).metadata
  await client.sendJson("PUT", path, { ...lease, metadata: { ...lease.metadata, resourceVersion } }, signal)
}

function leaseOf({ namespace, node, seconds }: LeasePlace, report: NodeReport, now: number) {
  return {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: {
      name: leaseName(node),
      namespace,
      labels: { "app.kubernetes.io/name": "headrace", "app.kubernetes.io/component": "agent" },
      annotations: { [REPORT_ANNOTATION]: JSON.stringify(report) },
    },
    spec: {
      holderIdentity: node,
      leaseDurationSeconds: seconds,
      // MicroTime has exactly six digits of a second.
      renewTime: new Date(now).toISOString().replace(/Z$/, "000Z"),
    },
  }
}
