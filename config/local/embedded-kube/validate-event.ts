import type { FieldCause } from "./api-failure.ts"
import type { KubeObject } from "./kube-object.ts"

/** What Kubernetes finds wrong with an Event that has no eventTime (pkg/apis/core/validation/events.go). */
export function eventCauses(object: KubeObject): FieldCause[] {
  const about = (object.involvedObject ?? {}) as { namespace?: string }
  const namespace = about.namespace ?? ""
  if (namespace === object.metadata.namespace) return []
  const field = "involvedObject.namespace"
  const message = `Invalid value: ${JSON.stringify(namespace)}: does not match event.namespace`
  return [{ reason: "FieldValueInvalid", message, field }]
}
