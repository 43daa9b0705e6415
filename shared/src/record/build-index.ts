import { canonicalJson, compareText } from "../foundation/canonical-json.ts"
import { sha256 } from "../foundation/digest.ts"
import type { FilesIndex, StoreIndex, TargetsIndex } from "./store-index.ts"

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
  const items = targets.map((entry) => ({ place: targetPlace(entry), entry }))
  return build(items, "", (page) => ({
    format: 1,
    kind: "targets",
    targets: page.sort((a, b) => compareText(a.namespace, b.namespace) || compareText(a.name, b.name)),
  }))
}

/** One target's index: its shards by their trie prefixes. */
export function buildFilesIndex(shards: readonly ShardEntry[]): BuiltIndex {
  const items = shards.map((entry) => ({ place: entry.prefix, entry }))
  return build(items, "", (page) => ({
    format: 1,
    kind: "files",
    shards: page.sort((a, b) => compareText(a.prefix, b.prefix)),
  }))
}

interface Item<Entry> {
  place: string
  entry: Entry
}

function build<Entry>(
  items: readonly Item<Entry>[],
  prefix: string,
  page: (entries: Entry[]) => StoreIndex,
): BuiltIndex {
  const whole = indexObject(page(items.map((item) => item.entry)))
  const groups = groupByNextDigit(items, prefix.length)
  if (whole.payload.length <= PAGE_LIMIT_BYTES || groups === undefined) {
    return { root: whole.digest, objects: [whole] }
  }
  const built = groups.map(([digit, members]) => ({
    prefix: prefix + digit,
    ...build(members, prefix + digit, page),
  }))
  const children = built.map((child) => ({ prefix: child.prefix, index: child.root }))
  const branch = indexObject({ format: 1, kind: "branch", children })
  return { root: branch.digest, objects: [branch, ...built.flatMap((child) => child.objects)] }
}

/** Undefined when an item's place has no digit left: it cannot be split further. */
function groupByNextDigit<Entry>(
  items: readonly Item<Entry>[],
  depth: number,
): [string, Item<Entry>[]][] | undefined {
  const groups = new Map<string, Item<Entry>[]>()
  for (const item of items) {
    const digit = item.place[depth]
    if (digit === undefined) return undefined
    const group = groups.get(digit)
    if (group) group.push(item)
    else groups.set(digit, [item])
  }
  return [...groups].sort(([a], [b]) => compareText(a, b))
}

function indexObject(index: StoreIndex): IndexObject {
  const payload = Buffer.from(canonicalJson(index))
  return { kind: "index", digest: sha256(payload), payload }
}
