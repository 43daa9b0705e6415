import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import type { ConfigMapReader } from "@headrace/shared/kube/config-map-api"
import { followConfigMaps } from "@headrace/shared/kube/light/follow"
import type { LiveSelection } from "./live-selection.ts"
import { followOptions, type WatchPorts } from "./watch-ports.ts"

/**
 * Gives all ConfigMaps of a selection, whole, at first and after each change, until the signal aborts. Nothing
 * is given before every namespace was read once, and nothing leaves because one could not be read.
 */
export async function watchLive(
  reader: ConfigMapReader,
  selection: LiveSelection,
  ports: WatchPorts,
  onChange: (configMaps: readonly ConfigMap[]) => void,
  signal: AbortSignal,
): Promise<void> {
  const { labelSelector, fieldSelector, namespaces } = selection
  const selectors = {
    ...(labelSelector === undefined ? {} : { labelSelector }),
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
  }
  const byNamespace = new Map<string, readonly ConfigMap[]>()

  async function follow(namespace: string): Promise<void> {
    const what = namespaces.length === 1 ? selection.id : `${selection.id}: ${namespace}`
    const options = { ...followOptions(ports, what), namespace, selection: selectors }
    for await (const { objects } of followConfigMaps(reader, options, signal)) {
      byNamespace.set(namespace, [...objects.values()])
      if (byNamespace.size === namespaces.length) onChange([...byNamespace.values()].flat())
    }
  }

  await Promise.all(namespaces.map(follow))
}
