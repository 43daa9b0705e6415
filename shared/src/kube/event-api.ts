import type { ConfigMap } from "../foundation/config-map.ts"

/** What an Event says of an object: https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/ */
export interface ObjectEvent {
  type: "Normal" | "Warning"
  /** One word in camel case, such as `Published`. */
  reason: string
  message: string
}

/** Writes Events of a cluster. */
export interface EventWriter {
  /** Writes one about a ConfigMap, at `at` (milliseconds since the epoch), beside it. Throws KubeError. */
  createEvent(about: ConfigMap, event: ObjectEvent, at: number, signal?: AbortSignal): Promise<void>
}
