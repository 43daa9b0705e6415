import { KubeError } from "@headrace/shared/kube/kube-error"
import { type NodeReport, REPORT_ANNOTATION, reportJson } from "@headrace/shared/record/node-report"
import { z } from "zod"

/** The calls of the light client that a report needs; they throw KubeError. */
export interface LeaseClient {
  getJson(path: string, signal?: AbortSignal): Promise<unknown>
  sendJson(method: "POST" | "PUT", path: string, body: object, signal?: AbortSignal): Promise<unknown>
  remove(path: string, signal?: AbortSignal): Promise<void>
}

export interface LeasePlace {
  namespace: string
  /** The node's name, as the Lease's holder. */
  node: string
  /** How long a report counts, in seconds. */
  seconds: number
  /** The pod that reports, with which Kubernetes then removes the Lease. */
  owner?: PodIdentity | undefined
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

/** A node's Lease: one object per node, replaced by the agent that reports for that node now. */
export interface NodeLease {
  /** Throws KubeError. */
  write(report: NodeReport, now: number, signal: AbortSignal): Promise<void>
  /** Throws KubeError. */
  remove(signal: AbortSignal): Promise<void>
}

/** The version written last is kept, so that a report is one request as long as no other process writes the Lease. */
export function openNodeLease(client: LeaseClient, place: LeasePlace): NodeLease {
  const leases = `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(place.namespace)}/leases`
  const path = `${leases}/${leaseName(place.node)}`
  let version: string | undefined

  async function versionNow(signal: AbortSignal): Promise<string | undefined> {
    const existing = await client.getJson(path, signal)
    return existing === undefined ? undefined : versionOf(existing)
  }

  async function send(lease: ReturnType<typeof leaseOf>, over: string | undefined, signal: AbortSignal) {
    if (over === undefined) return client.sendJson("POST", leases, lease, signal)
    const metadata = { ...lease.metadata, resourceVersion: over }
    return client.sendJson("PUT", path, { ...lease, metadata }, signal)
  }

  return {
    async write(report, now, signal) {
      const lease = leaseOf(place, report, now)
      if (version !== undefined) {
        const known = version
        version = undefined
        const sent = await send(lease, known, signal).catch(unlessOutdated)
        if (sent !== undefined) {
          version = versionOf(sent)
          return
        }
      }
      version = versionOf(await send(lease, await versionNow(signal), signal))
    },
    remove: (signal) => client.remove(path, signal),
  }
}

/**
 * Another process wrote the Lease, or removed it: it has to be read again. Replacing a Lease that is gone means to
 * create it, for which naming a version is refused, by kube-apiserver with a bare 500.
 */
function unlessOutdated(error: unknown): undefined {
  if (error instanceof KubeError && [404, 409, 500].includes(error.status)) return undefined
  throw error
}

function versionOf(lease: unknown): string {
  return Existing.parse(lease).metadata.resourceVersion
}

function leaseOf({ namespace, node, seconds, owner }: LeasePlace, report: NodeReport, now: number) {
  return {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: {
      name: leaseName(node),
      namespace,
      labels: { "app.kubernetes.io/name": "headrace", "app.kubernetes.io/component": "agent" },
      annotations: { [REPORT_ANNOTATION]: reportJson(report) },
      ...(owner ? { ownerReferences: [{ apiVersion: "v1", kind: "Pod", ...owner }] } : {}),
    },
    spec: {
      holderIdentity: node,
      leaseDurationSeconds: seconds,
      // MicroTime has exactly six digits of a second.
      renewTime: new Date(now).toISOString().replace(/Z$/, "000Z"),
    },
  }
}

/** A pod as an owner reference names it. */
export interface PodIdentity {
  name: string
  uid: string
}

/**
 * The pod that we are, by the environment that its manifest sets from the downward API. Undefined when that is not
 * set, and in another namespace than the Lease's: an owner has to be in the namespace of what it owns, or the
 * garbage collector takes it for gone (Kubernetes, "Owners and Dependents").
 */
export function podIdentity(
  namespace: string,
  environment: NodeJS.ProcessEnv = process.env,
): PodIdentity | undefined {
  const { HEADRACE_POD_NAME: name, HEADRACE_POD_UID: uid, HEADRACE_POD_NAMESPACE: own } = environment
  return name && uid && own === namespace ? { name, uid } : undefined
}
