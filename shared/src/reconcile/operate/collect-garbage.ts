import { openStoreConfigMap, storeObjectName } from "../../bundle/store-config-map.ts"
import type { Clock } from "../../foundation/clock.ts"
import type { ConfigMap, ObjectMeta } from "../../foundation/config-map.ts"
import { HeadraceError } from "../../foundation/errors.ts"
import { isLostRace } from "../../kube/compare-and-swap.ts"
import type { ConfigMapWriter } from "../../kube/config-map-api.ts"
import type { SourceRecord } from "../../record/record.ts"
import { isRecordConfigMap, readRecord } from "../../record/record-config-map.ts"
import type { StoreIndex } from "../../record/store-index.ts"
import { listReachable, parseIndex } from "../../record/walk-index.ts"
import { STORE_SELECTOR, UNUSED_SINCE } from "../store/read-store.ts"
import { largestBelieved } from "../target/known-token.ts"
import { unmarked } from "../write/store-objects.ts"
import { listLost } from "./lost-roots.ts"

/** Where records are looked for: one that lost its labels to a hand edit still names what it needs. */
const BESIDE_STORE = "app.kubernetes.io/component notin (shard,index)"

export interface GarbagePorts {
  kube: ConfigMapWriter
  /** Headrace's own namespace, in which the records and stores of all sources are. */
  namespace: string
  clock: Clock
  /** Milliseconds that an object stays marked before it goes. */
  grace: number
  /**
   * The source whose run needs room, at a quota. Its open intents hold nothing up, since the caller has overtaken all that
   * its writers know; and where its record is lost only its latest roots stay.
   */
  roomFor?: string
}

export interface GarbageResult {
  /** Objects that somebody names. */
  used: number
  marked: number
  unmarked: number
  deleted: number
  /** Why nothing was done, when nothing was. */
  skipped: string | undefined
}

/**
 * Takes away what no record and no kept history names, in two phases: marked when nobody names it, deleted
 * when it is still so after a grace time.
 *
 * Nothing is done while any intent is open, for what its writer has stored is named by nobody yet. A writer
 * that uses an object again takes the mark off first, which moves its resourceVersion, so that the deletion
 * of what was read before fails. Objects are listed before records: a record seen later can only name more.
 *
 * A source whose record is lost, or begun again and still blank, has nothing that names its store: its marked roots stay
 * (lost-roots.ts), for they alone say what was in force, until the source is detached.
 */
export async function collectGarbage(ports: GarbagePorts, signal: AbortSignal): Promise<GarbageResult> {
  const result: GarbageResult = { used: 0, marked: 0, unmarked: 0, deleted: 0, skipped: undefined }
  const items = await ports.kube.listMetadata(ports.namespace, { labelSelector: STORE_SELECTOR }, signal)
  const others = await ports.kube.list(ports.namespace, { labelSelector: BESIDE_STORE }, signal)
  const records = others.items.filter(isRecordConfigMap).map(readRecord)
  const named = await namedDigests(ports, items, records, signal)
  if (typeof named === "string") return { ...result, skipped: named }
  const names = new Set([...named].flatMap((digest) => [indexName(digest), storeObjectName("shard", digest)]))
  for (const item of items) {
    const step = nextStep(item, names, ports)
    if (step === "used") result.used += 1
    if (step === "used" || step === "waiting") continue
    if (await take(ports, item, step, signal)) result[step] += 1
  }
  return result
}

type Step = "used" | "waiting" | "marked" | "unmarked" | "deleted"

/** By the name alone: an annotation can be changed or taken off by others, and what is used would count as garbage. */
function nextStep(item: ObjectMeta, names: ReadonlySet<string>, ports: GarbagePorts): Step {
  const since = item.annotations?.[UNUSED_SINCE]
  if (names.has(item.name)) return since === undefined ? "used" : "unmarked"
  if (since === undefined) return "marked"
  return Date.parse(since) + ports.grace <= ports.clock.now() ? "deleted" : "waiting"
}

/** False when the object moved on meanwhile: somebody uses it. */
async function take(
  ports: GarbagePorts,
  item: ObjectMeta,
  step: "marked" | "unmarked" | "deleted",
  signal: AbortSignal,
): Promise<boolean> {
  const { kube, clock } = ports
  try {
    if (step === "deleted") {
      await kube.remove({ metadata: item }, signal)
      return true
    }
    const whole = await kube.get(item.namespace, item.name, signal)
    if (whole?.metadata.resourceVersion !== item.resourceVersion || whole === undefined) return false
    await kube.replace(step === "marked" ? marked(whole, clock.now()) : unmarked(whole), signal)
    return true
  } catch (error) {
    if (isLostRace(error)) return false
    throw error
  }
}

function marked(item: ConfigMap, now: number): ConfigMap {
  const annotations = { ...item.metadata.annotations, [UNUSED_SINCE]: new Date(now).toISOString() }
  return { ...item, metadata: { ...item.metadata, annotations } }
}

/** Everything that has to stay; or the reason why it is not known, and nothing may be removed. */
async function namedDigests(
  ports: GarbagePorts,
  items: readonly ObjectMeta[],
  records: readonly SourceRecord[],
  signal: AbortSignal,
): Promise<ReadonlySet<string> | string> {
  const busy = records.find(({ intents, source }) => intents.length > 0 && source !== ports.roomFor)
  if (busy) return `source ${busy.source} has an open intent`
  const indexes = new Map<string, Promise<StoreIndex>>()
  function fetch(digest: string): Promise<StoreIndex> {
    const index = indexes.get(digest) ?? readIndex(ports, digest, signal)
    indexes.set(digest, index)
    return index
  }
  const named = new Set<string>()
  for (const record of records) {
    for (const root of rootsOf(record)) {
      for (const digest of await listReachable(root, fetch)) named.add(digest)
    }
  }
  for (const digest of await listLost({ items, records, most: largestBelieved(ports), fetch }, ports.roomFor))
    named.add(digest)
  return named
}

/** What a record shows, tries, keeps for agents that have not caught up, and may return to. */
function rootsOf({ root, failures, history, candidate, previous }: SourceRecord): string[] {
  const roots = [root, failures, candidate?.root, candidate?.expected.nodes, previous?.root]
  return [...roots, ...history.map((revision) => revision.root)].filter(
    (digest) => typeof digest === "string",
  )
}

async function readIndex(
  { kube, namespace }: GarbagePorts,
  digest: string,
  signal: AbortSignal,
): Promise<StoreIndex> {
  const name = indexName(digest)
  const found = await kube.get(namespace, name, signal)
  if (found) return parseIndex(openStoreConfigMap(found, digest), digest)
  throw new HeadraceError("store/missing", `store object ${name} is not there`)
}

function indexName(digest: string): string {
  return storeObjectName("index", digest)
}
