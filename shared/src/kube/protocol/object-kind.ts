import { z } from "zod"
import type { ConfigMap } from "../../foundation/config-map.ts"
import { KubeError } from "../kube-error.ts"
import { parseConfigMap } from "./config-map-json.ts"

/** The kinds of object that hold files. */
export type FileKind = "ConfigMap" | "Secret"

/** How the API serves a kind, and how an object of it is read. */
export interface ObjectKind {
  kind: FileKind
  /** Of the path. */
  resource: "configmaps" | "secrets"
  /** Throws `kube/unavailable` for anything else: what answered was not an API server. */
  parse(value: unknown): ConfigMap
}

export const CONFIG_MAP_KIND: ObjectKind = {
  kind: "ConfigMap",
  resource: "configmaps",
  parse: parseConfigMap,
}

export const SECRET_KIND: ObjectKind = { kind: "Secret", resource: "secrets", parse: parseSecret }

const ApiSecret = z.object({
  metadata: z.record(z.string(), z.unknown()),
  data: z.record(z.string(), z.string()).nullish(),
  immutable: z.boolean().optional(),
})

/** A Secret in the shape of a ConfigMap: its values, which the API gives as base64, are `binaryData`. */
function parseSecret(value: unknown): ConfigMap {
  const parsed = ApiSecret.safeParse(value)
  // Without the cause: zod's messages can hold what they complain about.
  if (!parsed.success) throw new KubeError("kube/unavailable", "the API server's answer is not a Secret")
  const { metadata, data, immutable } = parsed.data
  return parseConfigMap({
    metadata,
    ...(data ? { binaryData: data } : {}),
    ...(immutable === undefined ? {} : { immutable }),
  })
}
