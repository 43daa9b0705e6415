import type { WatchEvent } from "../config-map-api.ts"
import { KubeError } from "../kube-error.ts"
import { parseConfigMap } from "./config-map-json.ts"
import { kubeErrorOfAnswer } from "./kube-answer.ts"

const TYPES = { ADDED: "added", MODIFIED: "modified", DELETED: "deleted" } as const

/** A watch's line as an event. Throws the KubeError of an ERROR event (410 is `kube/gone`), or `kube/unavailable`. */
export function parseWatchEvent(what: string, value: unknown, parse = parseConfigMap): WatchEvent {
  const event = (value ?? {}) as {
    type?: unknown
    object?: { code?: unknown; metadata?: { resourceVersion?: unknown } }
  }
  if (event.type === "ERROR") {
    const code = event.object?.code
    throw kubeErrorOfAnswer(what, typeof code === "number" ? code : 500, event.object)
  }
  if (event.type === "BOOKMARK") {
    const resourceVersion = event.object?.metadata?.resourceVersion
    if (typeof resourceVersion === "string") return { type: "bookmark", resourceVersion }
  }
  const type = TYPES[event.type as keyof typeof TYPES]
  if (!type) throw new KubeError("kube/unavailable", `${what}: an event of unknown type`)
  return { type, object: parse(event.object) }
}
