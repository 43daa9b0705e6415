import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import type { ConfigMapReader, ConfigMapWriter } from "@headrace/shared/kube/config-map-api"

/**
 * One of several clusters that share an API server: its namespaces have other names there.
 * `names` maps the cluster's names to the server's.
 */
export function inNamespaces(kube: ConfigMapWriter, names: ReadonlyMap<string, string>): ConfigMapWriter {
  const backwards = backwardsOf(names)
  return {
    ...readInNamespaces(kube, names),
    async listMetadata(namespace, selection, signal) {
      const found = await kube.listMetadata(named(names, namespace), selection, signal)
      return found.map((metadata) => moved({ metadata }, backwards).metadata)
    },
    otherWriter: (namespace, name, signal) => kube.otherWriter(named(names, namespace), name, signal),
    create: async (configMap, signal) => moved(await kube.create(moved(configMap, names), signal), backwards),
    replace: async (configMap, signal) =>
      moved(await kube.replace(moved(configMap, names), signal), backwards),
    remove: (configMap, signal) => kube.remove(moved(configMap, names), signal),
  }
}

/** The same for a process that only reads. */
export function readInNamespaces(kube: ConfigMapReader, names: ReadonlyMap<string, string>): ConfigMapReader {
  const backwards = backwardsOf(names)
  return {
    get: async (namespace, name, signal) => {
      const found = await kube.get(named(names, namespace), name, signal)
      return found && moved(found, backwards)
    },
    async list(namespace, selection, signal) {
      const { items, resourceVersion } = await kube.list(named(names, namespace), selection, signal)
      return { items: items.map((item) => moved(item, backwards)), resourceVersion }
    },
    async *watch(namespace, selection, signal) {
      for await (const event of kube.watch(named(names, namespace), selection, signal)) {
        yield event.type === "bookmark" ? event : { ...event, object: moved(event.object, backwards) }
      }
    },
  }
}

function backwardsOf(names: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map([...names].map(([own, real]) => [real, own]))
}

/** The same ConfigMap in the namespace that its own is mapped to. */
export function moved(configMap: ConfigMap, names: ReadonlyMap<string, string>): ConfigMap {
  const namespace = named(names, configMap.metadata.namespace)
  return { ...configMap, metadata: { ...configMap.metadata, namespace } }
}

function named(names: ReadonlyMap<string, string>, namespace: string): string {
  const found = names.get(namespace)
  if (found === undefined) throw new Error(`the model has no namespace ${namespace}`)
  return found
}
