import type { ConfigMap, ObjectMeta } from "../foundation/config-map.ts"

/** A change seen by a watch. `bookmark` carries a resourceVersion and nothing else. */
export type WatchEvent =
  | { type: "added" | "modified" | "deleted"; object: ConfigMap }
  | { type: "bookmark"; resourceVersion: string }

export interface Selection {
  /** Kubernetes label selector text. */
  labelSelector?: string
  /** Kubernetes field selector text, `metadata.name=…`. */
  fieldSelector?: string
}

/**
 * ConfigMaps of one cluster, to read. Every call may throw a KubeError and honours its signal;
 * each has a time limit of its own.
 */
export interface ConfigMapReader {
  /** Undefined when there is none. */
  get(namespace: string, name: string, signal?: AbortSignal): Promise<ConfigMap | undefined>
  /** `namespace` `""` is all of them. */
  list(
    namespace: string,
    selection: Selection,
    signal?: AbortSignal,
  ): Promise<{ items: ConfigMap[]; resourceVersion: string }>
  /**
   * Ends without an error when the server closes the stream; throws `kube/gone` when the version is too old. `onOpen` is
   * called when the server has answered, which may be long before the first event.
   */
  watch(
    namespace: string,
    selection: Selection & { resourceVersion: string },
    signal: AbortSignal,
    onOpen?: () => void,
  ): AsyncIterable<WatchEvent>
}

/** ConfigMaps of one cluster, to read and write. */
export interface ConfigMapWriter extends ConfigMapReader {
  /** As `list`, without what they hold: for a store of any size. `namespace` `""` is all of them. */
  listMetadata(namespace: string, selection: Selection, signal?: AbortSignal): Promise<ObjectMeta[]>
  /** Who wrote a ConfigMap last, ourselves left out, by the name that the API server notes. */
  otherWriter(namespace: string, name: string, signal?: AbortSignal): Promise<string | undefined>
  /** Throws `kube/already-exists` when one is there. */
  create(configMap: ConfigMap, signal?: AbortSignal): Promise<ConfigMap>
  /** Needs `metadata.resourceVersion` of what was read; throws `kube/conflict` when it has moved on. */
  replace(configMap: ConfigMap, signal?: AbortSignal): Promise<ConfigMap>
  /** Deletes exactly the version that was read; gone already is fine. Throws `kube/conflict`. */
  remove(configMap: ConfigMap, signal?: AbortSignal): Promise<void>
}
