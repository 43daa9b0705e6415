import * as published from "@kubernetes/client-node"

interface Field {
  baseName: string
  type: string
}

/** `apiVersion/kind` of our manifests that may be newer than the server at hand, and the class of their schema. */
const CLASSES: Record<string, string> = {
  "batch/v1/CronJob": "V1CronJob",
  "policy/v1/PodDisruptionBudget": "V1PodDisruptionBudget",
  "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy": "V1ValidatingAdmissionPolicy",
  "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding": "V1ValidatingAdmissionPolicyBinding",
  "v1/Pod": "V1Pod",
  "apps/v1/Deployment": "V1Deployment",
  "apps/v1/DaemonSet": "V1DaemonSet",
}

/**
 * What an object has against the schema that Kubernetes publishes for its kind, as `path: problem`; none: it fits.
 * The schema is the OpenAPI of Kubernetes as @kubernetes/client-node carries it: fields and types, no defaults and no
 * rules between fields. Throws for a kind that it does not know.
 */
export function schemaMistakes(object: { apiVersion: string; kind: string }): string[] {
  const name = CLASSES[`${object.apiVersion}/${object.kind}`]
  if (name === undefined) throw new Error(`no schema for ${object.apiVersion}/${object.kind}`)
  return mistakes(object, name, object.kind)
}

function mistakes(value: unknown, type: string, path: string): string[] {
  const array = /^Array<(.+)>$/.exec(type)?.[1]
  if (array) {
    if (!Array.isArray(value)) return [`${path}: not a list`]
    return value.flatMap((one, index) => mistakes(one, array, `${path}[${index}]`))
  }
  const map = /^\{ \[key: string\]: (.+?);? \}$/.exec(type)?.[1]
  if (map) {
    if (!isObject(value)) return [`${path}: not a mapping`]
    return Object.entries(value).flatMap(([key, one]) => mistakes(one, map, `${path}.${key}`))
  }
  const fields = fieldsOf(type)
  if (fields === undefined) return scalarMistakes(value, type, path)
  if (!isObject(value)) return [`${path}: not a mapping`]
  return Object.entries(value).flatMap(([key, one]) => {
    const field = fields.find(({ baseName }) => baseName === key)
    return field ? mistakes(one, field.type, `${path}.${key}`) : [`${path}.${key}: unknown field`]
  })
}

function scalarMistakes(value: unknown, type: string, path: string): string[] {
  if (["string", "number", "boolean"].includes(type)) {
    const found = typeof value
    return found === type ? [] : [`${path}: ${found} in place of ${type}`]
  }
  // IntOrString and any take both; a date is text in a manifest.
  return isObject(value) && type !== "any" ? [`${path}: a mapping in place of ${type}`] : []
}

function fieldsOf(type: string): Field[] | undefined {
  const model: unknown = Reflect.get(published, type)
  if (typeof model !== "function") return undefined
  const map: unknown = Reflect.get(model, "attributeTypeMap")
  return Array.isArray(map) ? (map as Field[]) : undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}
