import type { LiveSettings } from "@headrace/shared/settings/agent-sources"

/** Which live ConfigMaps a source selects. */
export interface LiveSelection {
  /** Equal for equal selections, which then share a watch. */
  id: string
  /** `""` is all namespaces. */
  namespaces: readonly string[]
  labelSelector?: string
  fieldSelector?: string
}

/** The selection of a `live` source. */
export function liveSelection(live: LiveSettings): LiveSelection {
  if (live.configMap !== undefined) {
    const [namespace = "", name = ""] = live.configMap.split("/")
    return { id: live.configMap, namespaces: [namespace], fieldSelector: `metadata.name=${name}` }
  }
  const labelSelector = live.labelSelector ?? ""
  const namespaces = [...new Set(live.namespaces ?? [""])].sort()
  return { id: `${labelSelector} in ${namespaces.join(",") || "all namespaces"}`, namespaces, labelSelector }
}
