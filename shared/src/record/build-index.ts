import { canonicalJson, compareText } from "../foundation/canonical-json.ts"
import { sha256 } from "../foundation/digest.ts"
import type { BranchIndex, FilesIndex, StoreIndex, TargetsIndex } from "./store-index.ts"

/** An index as the store keeps it: canonical JSON, named by its sha256. */
export interface IndexObject {
  kind: "index"
  digest: string
  payload: Buffer
  /** What the payload says, of the very entries that it was built from: the next index knows them again. */
  index: StoreIndex
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
  return build(items, "", {
    textOf: (page) => `{"format":1,"kind":"targets","targets":[${page}]}`,
    indexOf: (entries) => ({ format: 1, kind: "targets", targets: [...entries] }),
  })
}

/** One target's index: its shards by their trie prefixes. */
export function buildFilesIndex(shards: readonly ShardEntry[]): BuiltIndex {
  const sorted = shards.toSorted((a, b) => compareText(a.prefix, b.prefix))
  const items = sorted.map((entry) => itemOf(entry, () => entry.prefix))
  return build(items, "", {
    textOf: (page) => `{"format":1,"kind":"files","shards":[${page}]}`,
    indexOf: (entries) => ({ format: 1, kind: "files", shards: [...entries] }),
  })
}

interface Item<Entry> {
  entry: Entry
  place: string
  /** The entry as canonical JSON, and its bytes. */
  text: string
  bytes: number
}

/** A page of entries, in both forms. */
interface Page<Entry> {
  /** Canonical JSON from that of the entries, joined by commas. */
  textOf(entries: string): string
  indexOf(entries: readonly Entry[]): StoreIndex
}

/** An entry never changes, and most of them are in the next index, too. */
const itemsOfEntries = new WeakMap<object, Omit<Item<unknown>, "entry">>()

function itemOf<Entry extends TargetEntry | ShardEntry>(entry: Entry, placeOf: () => string): Item<Entry> {
  const known = itemsOfEntries.get(entry)
  if (known) return { entry, ...known }
  const text = canonicalJson(entry)
  const item = { place: placeOf(), text, bytes: Buffer.byteLength(text) }
  itemsOfEntries.set(entry, item)
  return { entry, ...item }
}

function build<Entry>(items: readonly Item<Entry>[], prefix: string, page: Page<Entry>): BuiltIndex {
  const groups = bytesOf(items, page) > PAGE_LIMIT_BYTES ? groupByNextDigit(items, prefix.length) : undefined
  if (groups === undefined) {
    const text = page.textOf(items.map((item) => item.text).join(","))
    const leaf = indexObject(text, page.indexOf(items.map(({ entry }) => entry)))
    return { root: leaf.digest, objects: [leaf] }
  }
  const built = groups.map(([digit, members]) => ({
    prefix: prefix + digit,
    ...build(members, prefix + digit, page),
  }))
  const children = built.map((child) => ({ prefix: child.prefix, index: child.root }))
  const branch: BranchIndex = { format: 1, kind: "branch", children }
  const top = indexObject(canonicalJson(branch), branch)
  return { root: top.digest, objects: [top, ...built.flatMap((child) => child.objects)] }
}

function bytesOf<Entry>(items: readonly Item<Entry>[], { textOf }: Page<Entry>): number {
  const commas = Math.max(0, items.length - 1)
  return items.reduce((sum, { bytes }) => sum + bytes, textOf("").length + commas)
}

/** Undefined when an item's place has no digit left: it cannot be split further. */
function groupByNextDigit<Entry>(
  items: readonly Item<Entry>[],
  depth: number,
): [string, Item<Entry>[]][] | undefined {
  if (items.some(({ place }) => place.length <= depth)) return undefined
  const groups = Map.groupBy(items, ({ place }) => place.charAt(depth))
  return [...groups].sort(([a], [b]) => compareText(a, b))
}

function indexObject(text: string, index: StoreIndex): IndexObject {
  const payload = Buffer.from(text)
  return { kind: "index", digest: sha256(payload), payload, index }
}
