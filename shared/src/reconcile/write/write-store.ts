import pLimit from "p-limit"
import { packShard } from "../../bundle/pack-shard.ts"
import { layoutsOf, type ShardLayout } from "../../bundle/shard-trie.ts"
import { DIGEST_ANNOTATION } from "../../bundle/store-config-map.ts"
import type { StoreObject } from "../../bundle/store-file.ts"
import { hasCode } from "../../foundation/errors.ts"
import type { PlannedTarget } from "../../plan/plan.ts"
import {
  buildFilesIndex,
  buildTargetsIndex,
  type IndexObject,
  type ShardEntry,
  type TargetEntry,
} from "../../record/build-index.ts"
import type { NewObjects } from "../../record/new-objects.ts"
import type { SourceRecord } from "../../record/record.ts"
import { type FetchIndex, listShards, listTargets, parseIndex } from "../../record/walk-index.ts"
import type { Work } from "../decide/work-out.ts"
import { type Choice, type ClusterPlan, placeText } from "../run/cluster-plan.ts"
import type { ReconcileMemory } from "../run/memory.ts"
import type { ReconcilePorts } from "../run/ports.ts"
import type { Run } from "../run/run.ts"
import { marksOfRoot, mostEpoch } from "../store/last-roots.ts"
import { indexReader, STORE_SELECTOR, UNUSED_SINCE } from "../store/read-store.ts"
import { findHeldElsewhere } from "./held-elsewhere.ts"
import { ensureStored, type Marks } from "./store-objects.ts"
import { trieOf } from "./trie-of-target.ts"

const CONCURRENT_OBJECTS = 8
/** So many objects that were there already show that an earlier run was interrupted: it may have written thousands. */
const MET_BEFORE_LISTING = 8

export interface StoreResult {
  /** Digest of the root index. */
  root: string
  /** The entries of the targets that the plan refuses: they keep what they hold. By `namespace/name`. */
  kept: ReadonlyMap<string, TargetEntry>
  written: number
  /** What the targets that changed have now and had not before; undefined: too much to list, or nothing. */
  added: NewObjects | undefined
  /** Milliseconds that our clock was found behind the API server's, at least; 0: it was not. */
  behind: number
}

/** What a run knows of the store before it writes. */
interface StoreState {
  /** The root index in force, by `namespace/name`. */
  before: Map<string, TargetEntry>
  /** True for objects known to be there and to stay: the record in force names them, or a listing showed them. */
  exists(digest: string): boolean
  /** Learns of all objects that are there. */
  list(): Promise<void>
  fetch: FetchIndex
  memory: ReconcileMemory
}

interface StoreInput {
  plan: ClusterPlan
  previous: ClusterPlan | undefined
  choice: Choice
  /** The one in force. */
  root: string | null
  /** What refused targets hold that the root in force does not have (held-elsewhere.ts). */
  elsewhere(refused: readonly string[]): Promise<ReadonlyMap<string, TargetEntry>>
  /** Of the new root, by which it is found where the record is lost (last-roots.ts); undefined: it is not to be found. */
  marks: Marks | undefined
  /** True where the root that is in force already may lack them. */
  isAgain: boolean
  full: boolean
}

/** How a revision is written into the store. */
export interface StoreWay {
  /** True: the store is listed first, and what is missing of it is put back. */
  full: boolean
  /** True: nothing has shown it before, and it may fail: a root that was only tried is found by no marks (mark-root.ts). */
  isCandidate: boolean
  /** True where intents were open before the run opened its own. */
  hadOpenWork: boolean
}

/**
 * Writes what the store lacks for this plan, and gives the root that names all of it. Objects of unchanged
 * leaves are neither read from git nor packed again: a leaf's fingerprint says what it would be. When one object
 * cannot be written the others are not begun any more, so that nothing goes on beside the next try. `record`: the one in
 * force.
 */
export async function writeStore(
  run: Run,
  record: SourceRecord,
  { desired, plan, previous, choice, failures }: Work,
  { full, isCandidate, hadOpenWork }: StoreWay,
): Promise<StoreResult> {
  const { ports, memory, request, signal } = run
  const marks = isCandidate ? undefined : marksOfRoot(request.source, desired.token, mostEpoch(run, record))
  const elsewhere = (refused: readonly string[]) => findHeldElsewhere(run, record, failures, refused)
  // What was begun or shown since may have a root of a larger token than this one is marked with.
  const isAgain = hadOpenWork || desired.token.epoch > record.token.epoch
  const input = { plan, previous, choice, root: record.root, full, elsewhere, marks, isAgain }
  const failed = new AbortController()
  try {
    return await writeObjects(ports, memory, input, AbortSignal.any([signal, failed.signal]))
  } catch (error) {
    failed.abort()
    throw error
  }
}

async function writeObjects(
  ports: ReconcilePorts,
  memory: ReconcileMemory,
  input: StoreInput,
  signal: AbortSignal,
): Promise<StoreResult> {
  const state = await readState(ports, memory, input.root, input.full, signal)
  const limit = pLimit(CONCURRENT_OBJECTS)
  let [written, met, behind] = [0, 0, 0]
  async function ensure(object: StoreObject, marks?: Marks): Promise<void> {
    signal.throwIfAborted()
    const { wrote, created } = await ensureStored(ports, object, signal, marks)
    if (wrote) written += 1
    else if (++met === MET_BEFORE_LISTING) await state.list()
    if (created !== undefined) behind = Math.max(behind, created - ports.clock.now())
  }
  async function ensureIndexes(missing: readonly IndexObject[], marks?: Marks): Promise<void> {
    // What no reader of ours could read is not written.
    for (const { payload, digest } of missing) parseIndex(payload, digest)
    await Promise.all(missing.map((object) => limit(() => ensure(object, marks))))
    // The next run begins with reading what this one has written.
    for (const { digest, index } of missing) memory.indexes.set(digest, index)
  }
  const isMissing = ({ digest }: IndexObject) => !state.exists(digest)
  const added: NewObjects["targets"] = {}

  const entries = await Promise.all(
    [...input.plan.targets].map(([place, planned]) => {
      const before = state.before.get(place)
      const same = before && !input.full && !input.choice.changed.has(place)
      return same ? before : storeTarget(planned, before, input.previous?.targets.get(place))
    }),
  )
  const refused = [...input.plan.refused.keys()].filter((place) => !input.plan.targets.has(place))
  const lost = refused.filter((place) => !state.before.has(place))
  const elsewhere = lost.length > 0 ? await input.elsewhere(lost) : state.before
  const kept = new Map<string, TargetEntry>()
  for (const place of refused) {
    const entry = state.before.get(place) ?? elsewhere.get(place)
    if (entry) kept.set(place, entry)
  }
  const root = buildTargetsIndex([...entries, ...kept.values()])
  const [top, ...below] = root.objects
  const between = below.filter(isMissing)
  await ensureIndexes(between)
  const isThereAlready = root.root === input.root && !input.isAgain
  if (top && !(isThereAlready && state.exists(top.digest))) await ensureIndexes([top], input.marks)
  const isNews = Object.keys(added).length > 0
  const news = isNews ? { root: root.root, indexes: digestsOf(between), targets: added } : undefined
  return { root: root.root, kept, added: news, written, behind }

  async function storeTarget(
    planned: PlannedTarget,
    before: TargetEntry | undefined,
    was: PlannedTarget | undefined,
  ): Promise<TargetEntry> {
    const known = before ? await shardsBefore(state, before, was) : new Set<string>()
    const layouts = layoutsOf(trieOf(memory, planned, was))
    const shards = await Promise.all(
      layouts.map((layout) => rememberedShard(layout, known) ?? limit(() => storeShard(layout, known))),
    )
    const index = buildFilesIndex(shards)
    const missing = index.objects.filter(isMissing)
    await ensureIndexes(missing)
    const { namespace, name } = planned.target
    if (missing.length > 0) {
      const newShards = shards.map(({ shard }) => shard).filter((digest) => !known.has(digest))
      added[placeText(planned.target)] = { indexes: digestsOf(missing), shards: newShards }
    }
    return { namespace, name, index: index.root, files: planned.keys.length, bytes: sum(shards) }
  }

  function rememberedShard(layout: ShardLayout, known: ReadonlySet<string>): ShardEntry | undefined {
    const entry = memory.shards.get(layout.fingerprint)
    if (entry === undefined || !isThere(entry.shard, known)) return undefined
    if (!entry.parts.every((digest) => isThere(digest, known))) return undefined
    return entry.prefix === layout.prefix ? entry : { ...entry, prefix: layout.prefix }
  }

  async function storeShard(layout: ShardLayout, known: ReadonlySet<string>): Promise<ShardEntry> {
    signal.throwIfAborted()
    // Since it was put in line, the store may have been listed.
    const remembered = rememberedShard(layout, known)
    if (remembered) return remembered
    const bytes = layout.files.reduce((sum, file) => sum + file.size, 0)
    const pack = () => packAndStore(layout, bytes, known)
    const entry = await (ports.contents ? ports.contents.within(bytes, signal, pack) : pack())
    memory.shards.set(layout.fingerprint, entry)
    return entry
  }

  async function packAndStore(
    layout: ShardLayout,
    bytes: number,
    known: ReadonlySet<string>,
  ): Promise<ShardEntry> {
    const contents = await ports.repository.blobs(
      layout.files.map((file) => file.oid),
      signal,
    )
    const { shard, parts } = packShard(layout, contents)
    for (const object of [...parts, shard]) if (!isThere(object.digest, known)) await ensure(object)
    const names = parts.map((part) => part.digest)
    return { prefix: layout.prefix, shard: shard.digest, files: layout.files.length, bytes, parts: names }
  }

  function isThere(digest: string, known: ReadonlySet<string>): boolean {
    return state.exists(digest) || (!input.full && known.has(digest))
  }
}

/**
 * Digests of a target's shards in force, learning on the way which fingerprint each has: a process that has
 * just started lays the previous plan out again instead of packing it.
 */
async function shardsBefore(
  state: StoreState,
  before: TargetEntry,
  was: PlannedTarget | undefined,
): Promise<Set<string>> {
  const shards = await readOrNothing(listShards(before.index, state.fetch))
  const byPrefix = new Map(shards.map((entry) => [entry.prefix, entry]))
  for (const layout of was ? layoutsOf(trieOf(state.memory, was)) : []) {
    const entry = byPrefix.get(layout.prefix)
    if (entry && !state.memory.shards.get(layout.fingerprint))
      state.memory.shards.set(layout.fingerprint, entry)
  }
  return new Set(shards.flatMap((entry) => [entry.shard, ...entry.parts]))
}

async function readState(
  ports: ReconcilePorts,
  memory: ReconcileMemory,
  root: string | null,
  full: boolean,
  signal: AbortSignal,
): Promise<StoreState> {
  const read = indexReader(ports, memory, signal)
  const known = new Set<string>()
  async function fetch(digest: string) {
    const index = await read(digest)
    if (!full) known.add(digest)
    return index
  }
  const listed = full ? await listStore(ports, signal) : known
  async function list() {
    for (const digest of await listStore(ports, signal)) listed.add(digest)
  }
  const targets = root === null ? [] : await readOrNothing(listTargets(root, fetch))
  return {
    before: new Map(targets.map((entry) => [placeText(entry), entry])),
    exists: (digest) => listed.has(digest),
    list,
    fetch,
    memory,
  }
}

/** Digests of the objects that are there and not marked as garbage. */
async function listStore(ports: ReconcilePorts, signal: AbortSignal): Promise<Set<string>> {
  const { kube, settings } = ports
  const items = await kube.listMetadata(settings.namespace, { labelSelector: STORE_SELECTOR }, signal)
  const kept = items.filter(({ annotations }) => annotations?.[UNUSED_SINCE] === undefined)
  return new Set(kept.flatMap(({ annotations }) => annotations?.[DIGEST_ANNOTATION] ?? []))
}

/** An index that is gone or damaged costs packing again, no more. */
async function readOrNothing<Entry>(reading: Promise<Entry[]>): Promise<Entry[]> {
  try {
    return await reading
  } catch (error) {
    if (hasCode(error, "store/") || hasCode(error, "bundle/")) return []
    throw error
  }
}

function digestsOf(objects: readonly IndexObject[]): string[] {
  return objects.map(({ digest }) => digest)
}

function sum(shards: readonly ShardEntry[]): number {
  return shards.reduce((bytes, shard) => bytes + shard.bytes, 0)
}
