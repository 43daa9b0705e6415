import { openStoreConfigMap, packedContent, storeObjectName } from "@headrace/shared/bundle/store-config-map"
import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import { errorText, hasCode } from "@headrace/shared/foundation/errors"
import type { ConfigMapReader } from "@headrace/shared/kube/config-map-api"
import type { Log } from "@headrace/shared/observe/log"

/** Gives an object's content, gzipped, by the digest of what it unpacks to; undefined: no cluster has it. */
export type ReadObject = (digest: string, signal: AbortSignal) => Promise<Buffer | undefined>

export interface ObjectStores {
  kube(cluster: string): Promise<Pick<ConfigMapReader, "get">>
  /** Headrace's own, where the stores are. */
  namespace: string
  /** In the order in which they are searched. */
  clusters: readonly string[]
  log: Log
}

/**
 * Reads objects from the stores of clusters, the first that has it intact. Throws the last error where none has it and one
 * could not be asked.
 */
export function readFromStores({ kube, namespace, clusters, log }: ObjectStores): ReadObject {
  async function fromCluster(
    cluster: string,
    digest: string,
    signal: AbortSignal,
  ): Promise<Buffer | undefined> {
    const client = await kube(cluster)
    const kinds = ["shard", "index"] as const
    const found = await Promise.all(
      kinds.map((kind) => client.get(namespace, storeObjectName(kind, digest), signal)),
    )
    return found.map((object) => object && intactContent(object, digest, cluster, log)).find(Boolean)
  }

  return async (digest, signal) => {
    let failure: unknown
    for (const cluster of clusters) {
      try {
        const content = await fromCluster(cluster, digest, signal)
        if (content) return content
      } catch (error) {
        signal.throwIfAborted()
        failure = error
        log.warn({ cluster, digest, err: errorText(error) }, "a store could not be read for an object")
      }
    }
    if (failure !== undefined) throw failure
    return undefined
  }
}

function intactContent(object: ConfigMap, digest: string, cluster: string, log: Log): Buffer | undefined {
  try {
    openStoreConfigMap(object, digest)
    return packedContent(object)
  } catch (error) {
    if (!hasCode(error, "bundle/")) throw error
    log.warn({ cluster, digest, err: errorText(error) }, "a damaged object is not served")
    return undefined
  }
}
