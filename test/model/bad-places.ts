import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import type { ConfigMapWriter } from "@headrace/shared/kube/config-map-api"
import { KubeError } from "@headrace/shared/kube/kube-error"

/** What an admission webhook changes of each target on its way in. */
export type Admission = "value" | "key" | "annotations" | "labels"

/** What is wrong with parts of a cluster, for as long as it lasts. */
export interface BadPlaces {
  /** Namespaces that our account has no rights in. */
  forbidden: Set<string>
  /** Those that ever were. */
  wereForbidden: Set<string>
  /** Namespaces that take no new object. */
  full: Set<string>
  /** By namespace, what a mutating admission webhook changes there. */
  admission: Map<string, Admission>
  /** `namespace/name` of ConfigMaps that are being deleted and wait for their finalizers. */
  terminating: Set<string>
}

export function noBadPlaces(): BadPlaces {
  return {
    forbidden: new Set(),
    wereForbidden: new Set(),
    full: new Set(),
    admission: new Map(),
    terminating: new Set(),
  }
}

/** True when a target may fail for a reason that no writer of ours can change. */
export function isBadPlace(bad: BadPlaces, place: string): boolean {
  const [namespace = ""] = place.split("/")
  return (
    bad.forbidden.has(namespace) ||
    bad.full.has(namespace) ||
    bad.admission.has(namespace) ||
    bad.terminating.has(place)
  )
}

/** An API server that refuses, changes or is about to delete what is in bad places. */
export function withBadPlaces(kube: ConfigMapWriter, bad: BadPlaces): ConfigMapWriter {
  return {
    ...kube,
    async get(namespace, name, signal) {
      refuseForbidden(bad, namespace)
      const found = await kube.get(namespace, name, signal)
      return found && bad.terminating.has(`${namespace}/${name}`) ? terminating(found) : found
    },
    async list(namespace, selection, signal) {
      refuseForbidden(bad, namespace)
      return kube.list(namespace, selection, signal)
    },
    async listMetadata(namespace, selection, signal) {
      refuseForbidden(bad, namespace)
      return kube.listMetadata(namespace, selection, signal)
    },
    async create(configMap, signal) {
      const { namespace, name } = configMap.metadata
      refuseForbidden(bad, namespace)
      if (bad.full.has(namespace)) throw forbidden(`configmaps "${name}" is forbidden: exceeded quota: count`)
      return kube.create(admitted(configMap, bad.admission.get(namespace)), signal)
    },
    async replace(configMap, signal) {
      const { namespace } = configMap.metadata
      refuseForbidden(bad, namespace)
      return kube.replace(admitted(configMap, bad.admission.get(namespace)), signal)
    },
    async remove(configMap, signal) {
      refuseForbidden(bad, configMap.metadata.namespace)
      return kube.remove(configMap, signal)
    },
  }
}

function refuseForbidden(bad: BadPlaces, namespace: string): void {
  if (bad.forbidden.has(namespace)) throw forbidden(`configmaps is forbidden in namespace ${namespace}`)
}

function forbidden(message: string): KubeError {
  return new KubeError("kube/forbidden", message, { status: 403 })
}

function terminating(configMap: ConfigMap): ConfigMap {
  const deletionTimestamp = "2026-01-01T00:00:00Z"
  return { ...configMap, metadata: { ...configMap.metadata, deletionTimestamp } }
}

function admitted(configMap: ConfigMap, admission: Admission | undefined): ConfigMap {
  const { metadata, data } = configMap
  if (admission === "value") return { ...configMap, data: { ...data, "0.txt": "injected" } }
  if (admission === "key") return { ...configMap, data: { ...data, injected: "by a webhook" } }
  if (admission === "annotations") return { ...configMap, metadata: { ...metadata, annotations: {} } }
  if (admission === "labels") return { ...configMap, metadata: { ...metadata, labels: { theirs: "1" } } }
  return configMap
}
