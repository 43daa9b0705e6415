import {
  mostShardBytes,
  objectOfContent,
  openStoreConfigMap,
  storeObjectName,
} from "@headrace/shared/bundle/store-config-map"
import { PART_BYTES } from "@headrace/shared/bundle/store-file"
import { joinParts, type ShardFile, unpackShard } from "@headrace/shared/bundle/unpack-shard"
import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import { shareUnderWay } from "@headrace/shared/foundation/share-under-way"
import { createWeightedCache } from "@headrace/shared/foundation/weighted-cache"
import type { ConfigMapReader } from "@headrace/shared/kube/config-map-api"
import type { StoreIndex } from "@headrace/shared/record/store-index"
import { parseIndex } from "@headrace/shared/record/walk-index"
import { type AgentBounds, DEFAULT_AGENT_BOUNDS } from "@headrace/shared/settings/bounds"
import pLimit from "p-limit"
import type { FileEntry } from "./known-objects.ts"
import type { ObjectCaches } from "./object-caches.ts"

/** Reads in flight at one time: enough to hide the round trips, few enough for a thousand nodes at once. */
const PARALLEL_READS = 8

/** What stays in memory between reads. Listings and indexes are kept for the next revision, contents for this one. */
const KEPT_INDEX_ENTRIES = 20_000
const KEPT_LISTED_FILES = 100_000
const KEPT_PACKED_BYTES = 12 * 1024 * 1024
const KEPT_UNPACKED_BYTES = 2 * 1024 * 1024
const KEPT_PROMISES = 100_000

/** How large a file, and how many files a target, may have. */
export type TargetBounds = Pick<AgentBounds, "file" | "files">

/** A listed file and the digest of the shard that holds it. */
export interface StoredFile extends FileEntry {
  shard: string
}

export interface StoreReaderOptions {
  reader: Pick<ConfigMapReader, "get">
  /** Asked before the API server; absent: there are none. */
  caches?: Pick<ObjectCaches, "read"> | undefined
  /** Headrace's own, where the store lies. */
  namespace: string
  /** What a target may cost; absent: the defaults. */
  bounds?: TargetBounds
  /** Ends every read; those under way reject. */
  signal: AbortSignal
  /** Called with each object fetched and its size on the wire, in bytes. */
  onFetch?(kind: "shard" | "index", bytes: number): void
  /** Called with each shard unpacked and its size in bytes, which soon is garbage. */
  onUnpack?(bytes: number): void
}

/**
 * The store as the agent reads it: by digest, each object verified against its digest before anything of it is
 * used, and an object that is known never fetched again. Objects are immutable, so what is known stays true.
 *
 * Throws `store/missing` for an object that is not there, KubeErrors, and the bundle's own errors for one that
 * is not what its digest says.
 */
export interface StoreReader {
  readonly bounds: TargetBounds
  index(digest: string): Promise<StoreIndex>
  listing(shard: string): Promise<readonly FileEntry[]>
  content(file: StoredFile): Promise<Buffer>
  /** Takes over what an earlier run wrote down, so that it is not fetched again. */
  learnIndex(digest: string, index: StoreIndex): void
  learnListing(shard: string, files: readonly FileEntry[]): void
  /**
   * To be called when nothing is read: drops contents, which published revisions have on disk, and of the
   * listings of shards that no projection uses any more, given as `shard-DIGEST`.
   */
  keepOnly(used: ReadonlySet<string>): void
}

/** An object as it came, and what it unpacks to, which is what its digest says. */
interface OpenedObject {
  object: ConfigMap
  payload: Buffer
}

interface Shard {
  files: Map<string, ShardFile>
  /** Of the payload, whose memory the contents share. */
  bytes: number
}

/** Without the contents. */
interface Listing {
  files: readonly FileEntry[]
  /** Of the shard's payload; 0: an earlier run has judged it. */
  bytes: number
}

export function createStoreReader(options: StoreReaderOptions): StoreReader {
  const indexes = createWeightedCache<StoreIndex>(KEPT_INDEX_ENTRIES, entryCount)
  const listings = createWeightedCache<Listing>(KEPT_LISTED_FILES, ({ files }) => files.length)
  const packed = createWeightedCache<PackedObject>(KEPT_PACKED_BYTES, ({ size }) => size)
  const unpacked = createWeightedCache<Shard>(KEPT_UNPACKED_BYTES, (shard) => shard.bytes)
  /** The most bytes that a shard unpacks to, as the index that names it promises. */
  const promises = createWeightedCache<number>(KEPT_PROMISES, () => 1)
  const limit = pLimit(PARALLEL_READS)
  const once = shareUnderWay()

  /** `most`: bytes that it unpacks to; absent: as many as any object has. */
  async function fetchObject(kind: "shard" | "index", digest: string, most?: number): Promise<OpenedObject> {
    const name = storeObjectName(kind, digest)
    const open = (object: ConfigMap) => ({ object, payload: openStoreConfigMap(object, digest, most) })
    const openContent = (content: Buffer) => open(objectOfContent(options.namespace, name, content))
    const cached = await options.caches?.read(digest, openContent, options.signal)
    if (cached) return cached
    const object = await limit(() => options.reader.get(options.namespace, name, options.signal))
    if (object === undefined) throw missing(options.namespace, name)
    options.onFetch?.(kind, packedBytes(object))
    return open(object)
  }

  async function fetchIndex(digest: string): Promise<StoreIndex> {
    const { payload } = await fetchObject("index", digest)
    const index = parseIndex(payload, digest)
    learn(digest, index)
    return index
  }

  function learn(digest: string, index: StoreIndex): void {
    indexes.set(digest, index)
    if (index.kind !== "files") return
    for (const entry of index.shards) promises.set(entry.shard, mostShardBytes(entry))
  }

  async function openShard(digest: string): Promise<Shard> {
    const kept = unpacked.get(digest)
    if (kept) return kept
    const payload = await shardPayload(digest)
    options.onUnpack?.(payload.length)
    const files = new Map(unpackShard(payload).map((file) => [file.key, file]))
    const shard = { files, bytes: payload.length }
    unpacked.set(digest, shard)
    listings.set(digest, listingOf(shard))
    return shard
  }

  /** One that was read ahead was unpacked before its index had said how large it may be. */
  function keepsPromise<Read extends { bytes: number }>(digest: string, read: Read): Read {
    const most = promises.get(digest) ?? read.bytes
    if (read.bytes <= most) return read
    throw new HeadraceError(
      "bundle/too-large",
      `shard ${digest} unpacks to ${read.bytes} bytes, and its index promises at most ${most}`,
    )
  }

  async function shardPayload(digest: string): Promise<Buffer> {
    const most = promises.get(digest)
    const again = packed.get(digest)
    if (again) return openStoreConfigMap(unpackObject(again), digest, most)
    const { object, payload } = await fetchObject("shard", digest, most)
    packed.add(digest, packObject(object))
    return payload
  }

  async function part(digest: string): Promise<Buffer> {
    const { payload } = await fetchObject("shard", digest, PART_BYTES)
    options.onUnpack?.(2 * payload.length)
    return payload
  }

  return {
    bounds: options.bounds ?? DEFAULT_AGENT_BOUNDS,
    index: async (digest) => indexes.get(digest) ?? once(`index-${digest}`, () => fetchIndex(digest)),
    async listing(digest) {
      const known = listings.get(digest)
      const listing = known ?? listingOf(await once(`shard-${digest}`, () => openShard(digest)))
      return keepsPromise(digest, listing).files
    },
    async content(file) {
      const shard = await once(`shard-${file.shard}`, () => openShard(file.shard))
      const stored = keepsPromise(file.shard, shard).files.get(file.key)
      if (stored === undefined) throw unlisted(file)
      return stored.content ?? joinParts(stored, part)
    },
    learnIndex: learn,
    learnListing: (digest, files) => listings.set(digest, { files, bytes: 0 }),
    keepOnly(used) {
      packed.clear()
      unpacked.clear()
      listings.keepOnly(new Set([...used].map((name) => name.replace(/^shard-/, ""))))
    },
  }
}

function listingOf(shard: Shard): Listing {
  const files = [...shard.files.values()].map(({ key, path, executable, size, sha256 }) => ({
    key,
    path,
    executable,
    size,
    sha256,
  }))
  return { files, bytes: shard.bytes }
}

function unlisted(file: StoredFile): HeadraceError {
  return new HeadraceError("store/corrupt", `shard ${file.shard} has no file for key ${file.key}`, {
    fields: { key: file.key, shard: file.shard },
  })
}

function missing(namespace: string, name: string): HeadraceError {
  return new HeadraceError("store/missing", `${namespace}/${name} is not there`, {
    hint: "Rebuild with headrace-bootstrapper apply, unless a newer revision has replaced it.",
    fields: { namespace, name },
  })
}

/** A store object kept for a second look: bytes, as base64 text in the heap weighs a third more. */
interface PackedObject {
  object: ConfigMap
  contents: [key: string, content: Buffer][]
  size: number
}

function packObject(object: ConfigMap): PackedObject {
  const { binaryData = {}, ...rest } = object
  const contents = Object.entries(binaryData).map(([key, base64]): [string, Buffer] => [
    key,
    Buffer.from(base64, "base64"),
  ])
  return { object: rest, contents, size: contents.reduce((sum, [, content]) => sum + content.length, 0) }
}

function unpackObject({ object, contents }: PackedObject): ConfigMap {
  const binaryData = Object.fromEntries(contents.map(([key, content]) => [key, content.toString("base64")]))
  return { ...object, binaryData }
}

function entryCount(index: StoreIndex): number {
  if (index.kind === "branch") return index.children.length
  if (index.kind === "failures") return index.failed.length
  if (index.kind === "nodes") return index.expected.length + index.excluded.length
  return index.kind === "targets" ? index.targets.length : index.shards.length
}

/** Bytes of base64 text that represent the object in memory and on the wire. */
function packedBytes(object: ConfigMap): number {
  const values = Object.values(object.binaryData ?? {})
  return values.reduce((sum, base64) => sum + base64.length, 0)
}
