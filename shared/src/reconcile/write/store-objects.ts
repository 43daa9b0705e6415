import { openStoreConfigMap, storeConfigMap } from "../../bundle/store-config-map.ts"
import type { StoreObject } from "../../bundle/store-file.ts"
import type { ConfigMap, ObjectMeta } from "../../foundation/config-map.ts"
import { HeadraceError } from "../../foundation/errors.ts"
import { gzipped } from "../../foundation/gzip.ts"
import { isFinal } from "../../foundation/retry.ts"
import { compareAndSwap, createOnce, isLostRace } from "../../kube/compare-and-swap.ts"
import type { ReconcilePorts } from "../run/ports.ts"
import { UNUSED_SINCE } from "../store/read-store.ts"

/** Without the mark of garbage collection. */
export function unmarked(configMap: ConfigMap): ConfigMap {
  const { [UNUSED_SINCE]: _, ...annotations } = configMap.metadata.annotations ?? {}
  return { ...configMap, metadata: { ...configMap.metadata, annotations } }
}

/** Annotations of an object beside its own, and whether those that are there say it already. */
export interface Marks {
  annotations: { [name: string]: string }
  areOn(annotations: ObjectMeta["annotations"]): boolean
}

/** What became of an object that is to be in the store. */
export interface StoreWrite {
  wrote: boolean
  /** When the API server made it, by its own clock, in milliseconds since 1970; undefined: it was there. */
  created: number | undefined
}

/**
 * Makes sure that an object is in the store, intact and not marked as garbage: creates it, or takes the mark
 * off the one that is there. Taking it off moves the resourceVersion, so a collector that has read the marked
 * one can no longer delete it. `marks` are put on it too. Throws `reconcile/changed-on-write` when the API server keeps
 * something else than was sent.
 */
export async function ensureStored(
  ports: ReconcilePorts,
  object: StoreObject,
  signal: AbortSignal,
  marks?: Marks,
): Promise<StoreWrite> {
  const content = await gzipped(object.payload)
  const wanted = withMarks(storeConfigMap(ports.settings.namespace, object, content), marks)
  async function attempt(): Promise<StoreWrite | undefined> {
    try {
      const kept = await createOnce(ports.kube, wanted, signal)
      if (!isKeptAsSent(kept, wanted) && !isIntact(kept, object.digest)) throw changedOnWrite(wanted)
      return { wrote: true, created: Date.parse(kept.metadata.creationTimestamp ?? "") || undefined }
    } catch (error) {
      if (!isLostRace(error) || isFinal(error)) throw error
    }
    const reused = await reuse(ports, wanted, object.digest, marks, signal)
    return reused === "absent" ? undefined : { wrote: reused === "changed", created: undefined }
  }
  return compareAndSwap(ports.clock, signal, attempt, (cause) =>
    cause instanceof Error ? cause : contradicted(wanted),
  )
}

/** No reader could use it: the run fails, and the record goes on to name what is whole. */
function changedOnWrite({ metadata }: ConfigMap): HeadraceError {
  const { namespace, name } = metadata
  return new HeadraceError(
    "reconcile/changed-on-write",
    `the API server changed the content of ConfigMap ${namespace}/${name} as it was written`,
    { hint: `Exempt namespace ${namespace} from the mutating admission webhook that changes it.` },
  )
}

/** Created, it is there already; read, it is not: no race lasts that long. */
function contradicted({ metadata }: ConfigMap): HeadraceError {
  const { namespace, name } = metadata
  return new HeadraceError(
    "kube/stale-answers",
    `ConfigMap ${namespace}/${name} exists, by the answer to a create, and is not there, by the answer to a get`,
    {
      hint: "Check what answers between Headrace and the API server: a cache, or a replica that lags behind.",
    },
  )
}

async function reuse(
  ports: ReconcilePorts,
  wanted: ConfigMap,
  digest: string,
  marks: Marks | undefined,
  signal: AbortSignal,
): Promise<"absent" | "intact" | "changed"> {
  const { namespace, name } = wanted.metadata
  const existing = await ports.kube.get(namespace, name, signal)
  if (existing === undefined) return "absent"
  if (!isIntact(existing, digest)) {
    ports.log.warn({ digest, name }, "store object is damaged: replacing it")
    await ports.kube.remove(existing, signal)
    return "absent"
  }
  const { annotations } = existing.metadata
  const isMarked = marks === undefined || marks.areOn(annotations)
  if (isMarked && annotations?.[UNUSED_SINCE] === undefined) return "intact"
  const kept = await ports.kube.replace(withMarks(unmarked(existing), isMarked ? undefined : marks), signal)
  if (kept.metadata.resourceVersion !== existing.metadata.resourceVersion) return "changed"
  // A webhook that takes annotations off does so each time: nothing was written, and a full run would try again each hour.
  ports.log.warn({ digest, name }, "the API server keeps no annotations of a store object")
  return "intact"
}

/** The object with these marks beside its own annotations. */
export function withMarks(configMap: ConfigMap, marks: Marks | undefined): ConfigMap {
  if (marks === undefined) return configMap
  const annotations = { ...configMap.metadata.annotations, ...marks.annotations }
  return { ...configMap, metadata: { ...configMap.metadata, annotations } }
}

/** True for the same bytes: then nothing has to be unpacked to know what they are. */
function isKeptAsSent({ binaryData: kept = {} }: ConfigMap, { binaryData: sent = {} }: ConfigMap): boolean {
  return Object.entries(sent).every(([key, value]) => kept[key] === value)
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
