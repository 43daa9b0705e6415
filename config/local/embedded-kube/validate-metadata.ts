import type { FieldCause } from "./api-failure.ts"
import type { KubeObjectMeta } from "./kube-object.ts"

const ANNOTATIONS_LIMIT_BYTES = 256 * 1024
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const DNS_LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
const QUALIFIED_NAME = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/
const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/

/** What Kubernetes finds wrong with metadata (apimachinery, api/validation/objectmeta.go); empty: nothing. */
export function metadataCauses(metadata: KubeObjectMeta, names: "subdomain" | "label"): FieldCause[] {
  return [
    ...nameCauses(metadata.name, names),
    ...labelCauses(metadata.labels ?? {}),
    ...annotationCauses(metadata.annotations ?? {}),
  ]
}

function nameCauses(name: string, rule: "subdomain" | "label"): FieldCause[] {
  const field = "metadata.name"
  if (!name) {
    return [
      { reason: "FieldValueRequired", message: "Required value: name or generateName is required", field },
    ]
  }
  const [pattern, limit] = rule === "label" ? ([DNS_LABEL, 63] as const) : ([SUBDOMAIN, 253] as const)
  const causes: FieldCause[] = []
  if (name.length > limit) causes.push(wrong(field, name, `must be no more than ${limit} characters`))
  if (!pattern.test(name)) {
    causes.push(wrong(field, name, `a lowercase RFC 1123 ${rule} must match '${pattern.source}'`))
  }
  return causes
}

function labelCauses(labels: Record<string, string>): FieldCause[] {
  const causes: FieldCause[] = []
  for (const [key, value] of Object.entries(labels)) {
    causes.push(...qualifiedNameCauses("metadata.labels", key))
    if (value.length > 63) causes.push(wrong("metadata.labels", value, "must be no more than 63 characters"))
    if (!LABEL_VALUE.test(value)) {
      causes.push(wrong("metadata.labels", value, `a valid label must match '${LABEL_VALUE.source}'`))
    }
  }
  return causes
}

function annotationCauses(annotations: Record<string, string>): FieldCause[] {
  const causes: FieldCause[] = []
  let size = 0
  for (const [key, value] of Object.entries(annotations)) {
    causes.push(...qualifiedNameCauses("metadata.annotations", key.toLowerCase()))
    size += Buffer.byteLength(key) + Buffer.byteLength(value)
  }
  if (size > ANNOTATIONS_LIMIT_BYTES) {
    const message = `Too long: must have at most ${ANNOTATIONS_LIMIT_BYTES} bytes`
    causes.push({ reason: "FieldValueTooLong", message, field: "metadata.annotations" })
  }
  return causes
}

/** `[prefix/]name`, the prefix a DNS subdomain. */
function qualifiedNameCauses(field: string, key: string): FieldCause[] {
  const parts = key.split("/")
  const name = parts.at(-1) ?? ""
  if (parts.length > 2) return [wrong(field, key, "a qualified name has at most one '/'")]
  const prefix = parts.length === 2 ? (parts[0] ?? "") : undefined
  const causes: FieldCause[] = []
  if (prefix !== undefined && (prefix.length > 253 || !SUBDOMAIN.test(prefix))) {
    causes.push(wrong(field, key, `prefix part must match '${SUBDOMAIN.source}'`))
  }
  if (name.length > 63) causes.push(wrong(field, key, "name part must be no more than 63 characters"))
  if (!QUALIFIED_NAME.test(name)) {
    causes.push(wrong(field, key, `name part must match '${QUALIFIED_NAME.source}'`))
  }
  return causes
}

function wrong(field: string, value: string, message: string): FieldCause {
  return {
    reason: "FieldValueInvalid",
    message: `Invalid value: ${JSON.stringify(value)}: ${message}`,
    field,
  }
}
