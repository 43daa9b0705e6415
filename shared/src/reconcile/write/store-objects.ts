import { openStoreConfigMap, storeConfigMap, storeObjectName } from "../../bundle/store-config-map.ts"
import type { StoreObject } from "../../bundle/store-file.ts"
import type { ConfigMap } from "../../foundation/config-map.ts"
import { HeadraceError } from "../../foundation/errors.ts"
import { isFinal } from "../../foundation/retry.ts"
import { compareAndSwap, createOnce, isLostRace } from "../../kube/compare-and-swap.ts"
import { retryTransient, transientRetry } from "../../kube/retry-transient.ts"
import type { StoreIndex } from "../../record/store-index.ts"
import { parseIndex } from "../../record/walk-index.ts"
import type { ReconcileMemory } from "../run/memory.ts"
import type { ReconcilePorts } from "../run/ports.ts"

/** When garbage collection found nobody to name an object; reconcile takes it away from what it uses again. */
export const UNUSED_SINCE = "headrace.dev/unused-since"

/** Label selector of shards and indexes in Headrace's namespace. */
export const STORE_SELECTOR = "app.kubernetes.io/name=headrace,app.kubernetes.io/component in (shard,index)"

/** Without the mark of garbage collection. */
export function unmarked(configMap: ConfigMap): ConfigMap {
  const { [UNUSED_SINCE]: _, ...annotations } = configMap.metadata.annotations ?? {}
  return { ...configMap, metadata: { ...configMap.metadata, annotations } }
}

/**
 * Makes sure that an object is in the store, intact and not marked as garbage: creates it, or takes the mark
 * off the one that is there. Taking it off moves the resourceVersion, so a collector that has read the marked
 * one can no longer delete it. Gives true when it wrote.
 */
export async function ensureStored(
  ports: ReconcilePorts,
  object: StoreObject,
  signal: AbortSignal,
): Promise<boolean> {
  const wanted = storeConfigMap(ports.settings.namespace, object)
  return compareAndSwap(ports.clock, signal, async () => {
    try {
      await createOnce(ports.kube, wanted, signal)
      return true
    } catch (error) {
      if (!isLostRace(error) || isFinal(error)) throw error
    }
    const reused = await reuse(ports, wanted, object.digest, signal)
    return reused === "absent" ? undefined : reused === "unmarked"
  })
}

async function reuse(
  ports: ReconcilePorts,
  wanted: ConfigMap,
  digest: string,
  signal: AbortSignal,
): Promise<"absent" | "intact" | "unmarked"> {
  const { namespace, name } = wanted.metadata
  const existing = await ports.kube.get(namespace, name, signal)
  if (existing === undefined) return "absent"
  if (!isIntact(existing, digest)) {
    ports.log.warn({ digest, name }, "store object is damaged: replacing it")
    await ports.kube.remove(existing, signal)
    return "absent"
  }
  if (existing.metadata.annotations?.[UNUSED_SINCE] === undefined) return "intact"
  await ports.kube.replace(unmarked(existing), signal)
  return "unmarked"
}

/** True when the object holds what its name says. */
function isIntact(configMap: ConfigMap, digest: string): boolean {
  try {
    openStoreConfigMap(configMap, digest)
    return true
  } catch {
    return false
  }
}

/** Reads an index by its digest, from memory when it was read before: an index never changes. */
export function indexReader(ports: ReconcilePorts, memory: ReconcileMemory, signal: AbortSignal) {
  return async function fetchIndex(digest: string): Promise<StoreIndex> {
    const remembered = memory.indexes.get(digest)
    if (remembered) return remembered
    const payload = await readStored(ports, "index", digest, signal)
    const index = parseIndex(payload, digest)
    memory.indexes.set(digest, index)
    return index
  }
}

async function readStored(
  ports: ReconcilePorts,
  kind: StoreObject["kind"],
  digest: string,
  signal: AbortSignal,
): Promise<Buffer> {
  const { namespace } = ports.settings
  const name = storeObjectName(kind, digest)
  return retryTransient(transientRetry(ports.clock), signal, async () => {
    const configMap = await ports.kube.get(namespace, name, signal)
    if (configMap) return openStoreConfigMap(configMap, digest)
    throw new HeadraceError("store/missing", `store object ${name} is not there`)
  })
}
