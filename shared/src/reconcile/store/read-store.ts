import { openStoreConfigMap, storeObjectName } from "../../bundle/store-config-map.ts"
import type { StoreObject } from "../../bundle/store-file.ts"
import { HeadraceError } from "../../foundation/errors.ts"
import type { ConfigMapReader } from "../../kube/config-map-api.ts"
import { retryTransient, transientRetry } from "../../kube/retry-transient.ts"
import type { StoreIndex } from "../../record/store-index.ts"
import { parseIndex } from "../../record/walk-index.ts"
import type { ReconcileMemory } from "../run/memory.ts"
import type { ReconcilePorts } from "../run/ports.ts"

/** When garbage collection found nobody to name an object; reconcile takes it away from what it uses again. */
export const UNUSED_SINCE = "headrace.dev/unused-since"

/** Label selector of shards and indexes in Headrace's namespace. */
export const STORE_SELECTOR = "app.kubernetes.io/name=headrace,app.kubernetes.io/component in (shard,index)"

/** What reading the store needs. */
export interface StorePorts extends Pick<ReconcilePorts, "clock"> {
  kube: ConfigMapReader
  /** Headrace's own namespace is where the store is. */
  settings: Pick<ReconcilePorts["settings"], "namespace">
}

/** Reads an index by its digest, from memory when it was read before: an index never changes. */
export function indexReader(
  ports: StorePorts,
  memory: Pick<ReconcileMemory, "indexes">,
  signal: AbortSignal,
) {
  return async function fetchIndex(digest: string): Promise<StoreIndex> {
    const remembered = memory.indexes.get(digest)
    if (remembered) return remembered
    const payload = await readStored(ports, "index", digest, signal)
    const index = parseIndex(payload, digest)
    memory.indexes.set(digest, index)
    return index
  }
}

/** The payload of an object of the store, of at most `most` bytes. Throws `store/missing`, `bundle/…`, `kube/…`. */
export async function readStored(
  ports: StorePorts,
  kind: StoreObject["kind"],
  digest: string,
  signal: AbortSignal,
  most?: number,
): Promise<Buffer> {
  const { namespace } = ports.settings
  const name = storeObjectName(kind, digest)
  return retryTransient(transientRetry(ports.clock), signal, async () => {
    const configMap = await ports.kube.get(namespace, name, signal)
    if (configMap) return openStoreConfigMap(configMap, digest, most)
    throw new HeadraceError("store/missing", `store object ${name} is not there`)
  })
}
