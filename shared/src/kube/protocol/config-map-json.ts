import { z } from "zod"
import type { ConfigMap } from "../../foundation/config-map.ts"
import { KubeError } from "../kube-error.ts"

/** The API's ConfigMap, as far as we read it. Foreign and growing, so unknown fields are let through and dropped. */
const ApiConfigMap = z.object({
  metadata: z.object({
    name: z.string(),
    namespace: z.string(),
    labels: z.record(z.string(), z.string()).optional(),
    annotations: z.record(z.string(), z.string()).optional(),
    resourceVersion: z.string().optional(),
    uid: z.string().optional(),
    creationTimestamp: z.string().optional(),
  }),
  data: z.record(z.string(), z.string()).optional(),
  binaryData: z.record(z.string(), z.string()).optional(),
  immutable: z.boolean().optional(),
})

/**
 * A ConfigMap out of an API answer; `managedFields` and the like are left behind.
 * Throws `kube/unavailable` for anything else: what answered was not an API server.
 */
export function parseConfigMap(value: unknown): ConfigMap {
  const parsed = ApiConfigMap.safeParse(value)
  if (parsed.success) return parsed.data as ConfigMap
  throw new KubeError("kube/unavailable", "the API server's answer is not a ConfigMap", {
    cause: parsed.error,
  })
}

/** A ConfigMap as a request body. */
export function configMapJson(configMap: ConfigMap): object {
  return { apiVersion: "v1", kind: "ConfigMap", ...configMap }
}
