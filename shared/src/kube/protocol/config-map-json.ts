import { z } from "zod"
import type { ConfigMap, ObjectMeta } from "../../foundation/config-map.ts"
import { KubeError } from "../kube-error.ts"

/** Text by key, as it is: z.record would drop a key `__proto__`, which is a legal one of a ConfigMap. */
const TextMap = z.custom<Record<string, string>>(isTextMap)

const ApiMetadata = z.looseObject({
  name: z.string(),
  namespace: z.string(),
  labels: TextMap.optional(),
  annotations: TextMap.optional(),
  resourceVersion: z.string().optional(),
  uid: z.string().optional(),
  creationTimestamp: z.string().optional(),
  deletionTimestamp: z.string().optional(),
  ownerReferences: z.array(z.looseObject({})).optional(),
  finalizers: z.array(z.string()).optional(),
})

/** The API's ConfigMap, as far as we read it. Foreign and growing, so unknown fields are let through. */
const ApiConfigMap = z.object({
  metadata: ApiMetadata,
  data: TextMap.optional(),
  binaryData: TextMap.optional(),
  immutable: z.boolean().optional(),
})

/**
 * A ConfigMap out of an API answer, with all of its metadata but `managedFields`.
 * Throws `kube/unavailable` for anything else: what answered was not an API server.
 */
export function parseConfigMap(value: unknown): ConfigMap {
  const parsed = ApiConfigMap.safeParse(value)
  if (!parsed.success) throw notOne("ConfigMap", parsed.error)
  return { ...parsed.data, metadata: withoutManagers(parsed.data.metadata) } as ConfigMap
}

/** The metadata out of one item of a list of metadata. Throws `kube/unavailable`. */
export function parseMetadata(value: unknown): ObjectMeta {
  const parsed = z.object({ metadata: ApiMetadata }).safeParse(value)
  if (!parsed.success) throw notOne("list of metadata", parsed.error)
  return withoutManagers(parsed.data.metadata)
}

/** A ConfigMap as a request body. */
export function configMapJson(configMap: ConfigMap): object {
  return { apiVersion: "v1", kind: "ConfigMap", ...configMap }
}

function withoutManagers(metadata: z.infer<typeof ApiMetadata>): ObjectMeta {
  const { managedFields: _, ...rest } = metadata
  return rest as ObjectMeta
}

function isTextMap(value: unknown): boolean {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return false
  return Object.values(value).every((member) => typeof member === "string")
}

function notOne(what: string, cause: unknown): KubeError {
  return new KubeError("kube/unavailable", `the API server's answer is not a ${what}`, { cause })
}
