import { canonicalJson, compareText } from "../foundation/canonical-json.ts"
import { sha256 } from "../foundation/digest.ts"
import type { BranchIndex, FilesIndex, TargetsIndex } from "./store-index.ts"

/** An index as the store keeps it: canonical JSON, named by its sha256. */
export interface IndexObject {
  kind: "index"
  digest: string
  payload: Buffer
}

/** The digest to name an index by, and the objects it consists of. */
export interface BuiltIndex {
  root: string
  objects: IndexObject[]
}

export type TargetEntry = TargetsIndex["targets"][number]
export type ShardEntry = FilesIndex["shards"][number]

/** An index beyond this is split: what a change costs at the API server and on watches grows with object size. */
const PAGE_LIMIT_BYTES = 64 * 1024

/** Where a target's entry is in the trie: hex digits of its sha256. */
export function targetPlace(target: { namespace: string; name: string }): string {
  return sha256(`${target.namespace}/${target.name}`)
}

/** The root of a revision. Entries in any order; equal entries give equal digests. */
export function buildTargetsIndex(targets: readonly TargetEntry[]): BuiltIndex {
  const sorted = targets.toSorted(
    (a, b) => compareText(a.namespace, b.namespace) || compareText(a.name, b.name),
  )
  const items = sorted.map((entry) => itemOf(entry, () => targetPlace(entry)))
  return build(items, "", (page) => `{"format":1,"kind":"targets","targets":[${page}]}`)
}

/** One target's index: its shards by their trie prefixes. */
export function buildFilesIndex(shards: readonly ShardEntry[]): BuiltIndex {
  const sorted = shards.toSorted((a, b) => compareText(a.prefix, b.prefix))
  const items = sorted.map((entry) => itemOf(entry, () => entry.prefix))
  return build(items, "", (page) => `{"format":1,"kind":"files","shards":[${page}]}`)
}

interface Item {
  place: string
  /** The entry as canonical JSON, and its bytes. */
  text: string
  bytes: number
}

/** An entry never changes, and most of them are in the next index, too. */
const itemsOfEntries = new WeakMap<object, Item>()

function itemOf(entry: TargetEntry | ShardEntry, placeOf: () => string): Item {
  const known = itemsOfEntries.get(entry)
  if (known) return known
  const text = canonicalJson(entry)
  const item = { place: placeOf(), text, bytes: Buffer.byteLength(text) }
  itemsOfEntries.set(entry, item)
  return item
}

/** `textOf` gives the canonical JSON of an index from that of its entries, joined by commas. */
function build(items: readonly Item[], prefix: string, textOf: (page: string) => string): BuiltIndex {
  const groups =
    bytesOf(items, textOf) > PAGE_LIMIT_BYTES ? groupByNextDigit(items, prefix.length) : undefined
  if (groups === undefined) {
    const page = indexObject(textOf(items.map(({ text }) => text).join(",")))
    return { root: page.digest, objects: [page] }
  }
  const built = groups.map(([digit, members]) => ({
    prefix: prefix + digit,
    ...build(members, prefix + digit, textOf),
  }))
  const children = built.map((child) => ({ prefix: child.prefix, index: child.root }))
  const branch: BranchIndex = { format: 1, kind: "branch", children }
  const top = indexObject(canonicalJson(branch))
  return { root: top.digest, objects: [top, ...built.flatMap((child) => child.objects)] }
}

function bytesOf(items: readonly Item[], textOf: (page: string) => string): number {
  const commas = Math.max(0, items.length - 1)
  return items.reduce((sum, { bytes }) => sum + bytes, textOf("").length + commas)
}

/** Undefined when an item's place has no digit left: it cannot be split further. */
function groupByNextDigit(items: readonly Item[], depth: number): [string, Item[]][] | undefined {
  if (items.some(({ place }) => place.length <= depth)) return undefined
  const groups = Map.groupBy(items, ({ place }) => place.charAt(depth))
  return [...groups].sort(([a], [b]) => compareText(a, b))
}

function indexObject(text: string): IndexObject {
  const payload = Buffer.from(text)
  return { kind: "index", digest: sha256(payload), payload }
}
