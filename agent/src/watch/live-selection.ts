import type { FileKind } from "@headrace/shared/kube/protocol/object-kind"
import type { LiveSettings } from "@headrace/shared/settings/agent-sources"

/** Which live ConfigMaps or Secrets a source selects. */
export interface LiveSelection {
  /** Equal for equal selections, which then share a watch. */
  id: string
  kind: FileKind
  /** `""` is all namespaces. */
  namespaces: readonly string[]
  labelSelector?: string
  fieldSelector?: string
}

/** The selection of a `live` source. */
export function liveSelection(live: LiveSettings): LiveSelection {
  const kind = liveKind(live)
  const place = live.configMap ?? live.secret
  if (place !== undefined) {
    const [namespace = "", name = ""] = place.split("/")
    const id = kind === "Secret" ? `Secret ${place}` : place
    return { id, kind, namespaces: [namespace], fieldSelector: `metadata.name=${name}` }
  }
  const labelSelector = live.labelSelector ?? ""
  const namespaces = [...new Set(live.namespaces ?? [""])].sort()
  const id = `${labelSelector} in ${namespaces.join(",") || "all namespaces"}`
  return { id: kind === "Secret" ? `Secrets ${id}` : id, kind, namespaces, labelSelector }
}

/** What a `live` source shows. */
export function liveKind({ secret, kind }: LiveSettings): FileKind {
  return secret === undefined ? kind : "Secret"
}
