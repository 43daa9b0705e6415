import { isDeepStrictEqual } from "node:util"
import { CONFIG_MAP_LIMIT_BYTES } from "@headrace/shared/foundation/config-map"
import type { FieldCause } from "./api-failure.ts"
import { decodeTextMap, undecodable } from "./decode-text-map.ts"
import type { KubeObject } from "./kube-object.ts"

const CONFIG_KEY = /^[-._a-zA-Z0-9]+$/
const CONFIG_KEY_LIMIT = 253
// Canonical base64 with padding; Go's decoder skips line breaks and so do we.
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** Refuses, as 400, a body that does not decode as a ConfigMap. */
export function decodeConfigMap(object: KubeObject): KubeObject {
  const decoded = { ...object }
  const data = decodeTextMap(object.data, "ConfigMap.Data")
  const binaryData = decodeTextMap(object.binaryData, "ConfigMap.BinaryData")
  for (const [key, value] of Object.entries(binaryData ?? {})) {
    if (!BASE64.test(value.replaceAll(/[\r\n]/g, "")))
      throw undecodable(`ConfigMap.BinaryData[${key}]`, "illegal base64 data")
  }
  assign(decoded, "data", data)
  assign(decoded, "binaryData", binaryData)
  const immutable = object.immutable
  if (immutable !== undefined && immutable !== null && typeof immutable !== "boolean") {
    throw undecodable("ConfigMap.Immutable", "expects a boolean")
  }
  assign(decoded, "immutable", immutable ?? undefined)
  return decoded
}

/** What Kubernetes finds wrong with a ConfigMap's content (pkg/apis/core/validation ValidateConfigMap). */
export function configMapCauses(object: KubeObject): FieldCause[] {
  const data = (object.data ?? {}) as Record<string, string>
  const binaryData = (object.binaryData ?? {}) as Record<string, string>
  const causes: FieldCause[] = []
  let size = 0
  for (const [key, value] of Object.entries(data)) {
    causes.push(...keyCauses(`data[${key}]`, key))
    if (Object.hasOwn(binaryData, key))
      causes.push(wrong(`data[${key}]`, key, "duplicate of key present in binaryData"))
    size += Buffer.byteLength(value)
  }
  for (const [key, value] of Object.entries(binaryData)) {
    causes.push(...keyCauses(`binaryData[${key}]`, key))
    size += Buffer.byteLength(value, "base64")
  }
  if (size > CONFIG_MAP_LIMIT_BYTES) {
    const message = `Too long: must have at most ${CONFIG_MAP_LIMIT_BYTES} bytes`
    causes.push({ reason: "FieldValueTooLong", message, field: "[]" })
  }
  return causes
}

/** What `immutable: true` forbids a later version to change. */
export function immutableCauses(before: KubeObject, after: KubeObject): FieldCause[] {
  if (before.immutable !== true) return []
  const changed = ["data", "binaryData"].filter(
    (field) => !isDeepStrictEqual(before[field] ?? {}, after[field] ?? {}),
  )
  if (after.immutable !== true) changed.unshift("immutable")
  const message = "Forbidden: field is immutable when `immutable` is set"
  return changed.map((field) => ({ reason: "FieldValueForbidden", message, field }))
}

function keyCauses(field: string, key: string): FieldCause[] {
  if (key.length > CONFIG_KEY_LIMIT)
    return [wrong(field, key, `must be no more than ${CONFIG_KEY_LIMIT} characters`)]
  if (!CONFIG_KEY.test(key))
    return [wrong(field, key, `a valid config key must match '${CONFIG_KEY.source}'`)]
  if (key === "." || key === "..") return [wrong(field, key, `must not be '${key}'`)]
  if (key.startsWith("..")) return [wrong(field, key, "must not start with '..'")]
  return []
}

function assign(object: KubeObject, field: string, value: unknown): void {
  if (value === undefined) delete object[field]
  else object[field] = value
}

function wrong(field: string, value: string, message: string): FieldCause {
  return {
    reason: "FieldValueInvalid",
    message: `Invalid value: ${JSON.stringify(value)}: ${message}`,
    field,
  }
}
