/**
 * The part of Kubernetes' ObjectMeta that we read or write. What was read carries every other field that the API server
 * has too, but for `managedFields`, so that a replace leaves to others what is theirs.
 */
export interface ObjectMeta {
  name: string
  namespace: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
  resourceVersion?: string
  uid?: string
  creationTimestamp?: string
  /** ISO time since which it is being deleted: it goes when the last finalizer does. */
  deletionTimestamp?: string
  ownerReferences?: readonly object[]
  finalizers?: readonly string[]
}

/** A Kubernetes ConfigMap as the API speaks it: `binaryData` values are base64 text. */
export interface ConfigMap {
  metadata: ObjectMeta
  data?: Record<string, string>
  binaryData?: Record<string, string>
  immutable?: boolean
}

/** What the values of one ConfigMap may sum to: 1 MiB exactly, `binaryData` counted decoded, keys not counted. */
export const CONFIG_MAP_LIMIT_BYTES = 1024 * 1024

/** Every value as bytes, whichever of the two maps it is in. */
export function configMapBytes(configMap: ConfigMap): Map<string, Buffer> {
  const bytes = new Map<string, Buffer>()
  for (const [key, text] of Object.entries(configMap.data ?? {})) bytes.set(key, Buffer.from(text, "utf8"))
  for (const [key, base64] of Object.entries(configMap.binaryData ?? {})) {
    bytes.set(key, Buffer.from(base64, "base64"))
  }
  return bytes
}

/** The size that Kubernetes holds against CONFIG_MAP_LIMIT_BYTES. */
export function configMapSize(configMap: ConfigMap): number {
  const text = Object.values(configMap.data ?? {}).map((value) => Buffer.byteLength(value, "utf8"))
  const binary = Object.values(configMap.binaryData ?? {}).map((value) => Buffer.byteLength(value, "base64"))
  return [...text, ...binary].reduce((sum, size) => sum + size, 0)
}
