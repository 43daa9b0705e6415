import type { FieldCause } from "./api-failure.ts"
import { undecodable } from "./decode-text-map.ts"
import type { KubeObject } from "./kube-object.ts"

/** MicroTime: exactly six digits of a second. */
const MICRO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[-+]\d\d:\d\d)$/
const FIELDS: Readonly<Record<string, "string" | "number" | "time">> = {
  holderIdentity: "string",
  leaseDurationSeconds: "number",
  leaseTransitions: "number",
  acquireTime: "time",
  renewTime: "time",
}

/** Refuses, as 400, a body that does not decode as a Lease. */
export function decodeLease(object: KubeObject): KubeObject {
  const spec = object.spec
  if (spec === undefined || spec === null) return object
  if (typeof spec !== "object" || Array.isArray(spec)) throw undecodable("Lease.Spec", "expects an object")
  for (const [field, value] of Object.entries(spec)) {
    const wanted = FIELDS[field]
    if (wanted && value !== null) checkField(field, value, wanted)
  }
  return object
}

function checkField(field: string, value: unknown, wanted: "string" | "number" | "time"): void {
  const path = `Lease.Spec.${field}`
  const type = wanted === "number" ? "number" : "string"
  if (typeof value !== type) throw undecodable(path, `expects a ${type}`)
  if (wanted !== "time" || MICRO_TIME.test(String(value))) return
  throw undecodable(path, `parsing time ${JSON.stringify(value)}: six digits of a second are expected`)
}

/** What Kubernetes finds wrong with a Lease (pkg/apis/coordination/validation). */
export function leaseCauses(object: KubeObject): FieldCause[] {
  const spec = (object.spec ?? {}) as { leaseDurationSeconds?: number; leaseTransitions?: number }
  const causes: FieldCause[] = []
  if (typeof spec.leaseDurationSeconds === "number" && spec.leaseDurationSeconds <= 0) {
    causes.push(wrong("spec.leaseDurationSeconds", spec.leaseDurationSeconds, "must be greater than 0"))
  }
  if (typeof spec.leaseTransitions === "number" && spec.leaseTransitions < 0) {
    causes.push(wrong("spec.leaseTransitions", spec.leaseTransitions, "must be greater than or equal to 0"))
  }
  return causes
}

function wrong(field: string, value: number, message: string): FieldCause {
  return { reason: "FieldValueInvalid", message: `Invalid value: ${value}: ${message}`, field }
}
