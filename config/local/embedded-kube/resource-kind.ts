import type { FieldCause } from "./api-failure.ts"
import { decodeSecret } from "./decode-secret.ts"
import type { KubeObject } from "./kube-object.ts"
import { configMapCauses, decodeConfigMap, immutableCauses } from "./validate-config-map.ts"
import { eventCauses } from "./validate-event.ts"
import { decodeLease, leaseCauses } from "./validate-lease.ts"

/** How the API serves one kind of object. */
export interface ResourceKind {
  group: string
  version: string
  kind: string
  /** Plural of the path: `configmaps`. */
  resource: string
  namespaced: boolean
  names: "subdomain" | "label"
  /** What a body may hold beside metadata; anything else is dropped, as the real server drops what it does not know. */
  fields: readonly string[]
  /** A PUT without a resourceVersion overwrites (strategy.AllowUnconditionalUpdate). */
  unconditionalUpdate: boolean
  /** A PUT of something absent creates it (strategy.AllowCreateOnUpdate). */
  createOnUpdate: boolean
  /** Checks and normalises a body; throws 400. */
  decode(object: KubeObject): KubeObject
  /** What is wrong with the content; `before` is the version that is replaced. */
  causes(object: KubeObject, before: KubeObject | undefined): FieldCause[]
}

export const CONFIG_MAPS: ResourceKind = {
  group: "",
  version: "v1",
  kind: "ConfigMap",
  resource: "configmaps",
  namespaced: true,
  names: "subdomain",
  fields: ["data", "binaryData", "immutable"],
  unconditionalUpdate: true,
  createOnUpdate: false,
  decode: decodeConfigMap,
  causes: (object, before) => [
    ...configMapCauses(object),
    ...(before ? immutableCauses(before, object) : []),
  ],
}

export const SECRETS: ResourceKind = {
  group: "",
  version: "v1",
  kind: "Secret",
  resource: "secrets",
  namespaced: true,
  names: "subdomain",
  fields: ["data", "stringData", "immutable", "type"],
  unconditionalUpdate: true,
  createOnUpdate: false,
  decode: decodeSecret,
  causes: (object, before) => (before ? immutableCauses(before, object) : []),
}

export const LEASES: ResourceKind = {
  group: "coordination.k8s.io",
  version: "v1",
  kind: "Lease",
  resource: "leases",
  namespaced: true,
  names: "subdomain",
  fields: ["spec"],
  unconditionalUpdate: false,
  createOnUpdate: true,
  decode: decodeLease,
  causes: leaseCauses,
}

export const EVENTS: ResourceKind = {
  group: "",
  version: "v1",
  kind: "Event",
  resource: "events",
  namespaced: true,
  names: "subdomain",
  fields: [
    ...["involvedObject", "reason", "message", "type", "source", "count", "firstTimestamp", "lastTimestamp"],
    ...["eventTime", "series", "action", "related", "reportingComponent", "reportingInstance"],
  ],
  unconditionalUpdate: true,
  createOnUpdate: true,
  decode: (object) => object,
  causes: eventCauses,
}

export const NAMESPACES: ResourceKind = {
  group: "",
  version: "v1",
  kind: "Namespace",
  resource: "namespaces",
  namespaced: false,
  names: "label",
  fields: [],
  unconditionalUpdate: true,
  createOnUpdate: false,
  decode: (object) => ({ ...object, spec: { finalizers: ["kubernetes"] }, status: { phase: "Active" } }),
  causes: () => [],
}

export const RESOURCE_KINDS: readonly ResourceKind[] = [CONFIG_MAPS, SECRETS, LEASES, EVENTS, NAMESPACES]

/** `v1`, `coordination.k8s.io/v1`. */
export function apiVersionOf(kind: ResourceKind): string {
  return kind.group ? `${kind.group}/${kind.version}` : kind.version
}
