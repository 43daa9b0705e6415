import type { ManagedFields } from "./managed-fields.ts"

/** ObjectMeta of any object that the embedded server holds. */
export interface KubeObjectMeta {
  name: string
  /** Absent on a Namespace. */
  namespace?: string
  uid?: string
  resourceVersion?: string
  creationTimestamp?: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
  managedFields?: ManagedFields[]
  [field: string]: unknown
}

/** Any object that the embedded server holds, as JSON. */
export interface KubeObject {
  apiVersion: string
  kind: string
  metadata: KubeObjectMeta
  [field: string]: unknown
}

/** A deep copy of plain JSON; strings are shared, so that a copy of a large ConfigMap costs little. */
export function copyJson<T>(value: T): T {
  if (Array.isArray(value)) return value.map((item) => copyJson(item)) as T
  if (value === null || typeof value !== "object") return value
  // A key may be `__proto__`: an assignment would not make a member of it.
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, copyJson(member)])) as T
}
