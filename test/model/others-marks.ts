import { isDeepStrictEqual } from "node:util"
import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import type { MonitoredCluster } from "./monitored-cluster.ts"
import { Violation } from "./violation.ts"

const THEIRS = {
  labels: { "example.com/team": "theirs" },
  annotations: { "example.com/note": "theirs" },
  ownerReferences: [{ apiVersion: "v1", kind: "ConfigMap", name: "owner", uid: "1-2-3" }],
  finalizers: ["example.com/hold"],
}

/** Another program puts owners, a finalizer, a label and an annotation on a ConfigMap of ours. */
export async function markAsOthers(cluster: MonitoredCluster, place: string): Promise<void> {
  const [namespace = "", name = ""] = place.split("/")
  const existing = await cluster.direct.get(namespace, name)
  if (existing === undefined) return
  const { metadata } = existing
  const labels = { ...metadata.labels, ...THEIRS.labels }
  const annotations = { ...metadata.annotations, ...THEIRS.annotations }
  await cluster.direct.replace({ ...existing, metadata: { ...metadata, ...THEIRS, labels, annotations } })
}

/** What others put on an object stays, whatever we write. */
export function watchOthersMarks(place: string, before: ConfigMap, after: ConfigMap): void {
  const [was, is] = [before.metadata, after.metadata]
  for (const field of ["ownerReferences", "finalizers"] as const) {
    const [old, next] = [Reflect.get(was, field), Reflect.get(is, field)]
    if (old && !isDeepStrictEqual(old, next)) throw new Violation(`11: ${place} lost its ${field}`)
  }
  for (const field of ["labels", "annotations"] as const) {
    for (const [key, value] of Object.entries(was[field] ?? {})) {
      const isTheirs = key.startsWith("example.com/")
      if (isTheirs && is[field]?.[key] !== value) throw new Violation(`11: ${place} lost ${key}`)
    }
  }
}
