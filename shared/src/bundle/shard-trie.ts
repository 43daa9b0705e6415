import { canonicalJson, compareText } from "../foundation/canonical-json.ts"
import { sha256 } from "../foundation/digest.ts"
import { goesInParts, PART_BYTES, SHARD_BYTES, SHARD_FORMAT, type StoreFile } from "./store-file.ts"

/** One leaf of a target's trie: which files one shard holds. */
export interface ShardLayout {
  /** Hex digits that sha256(path) of all its files starts with; `""` when one shard holds everything. */
  prefix: string
  /** In key order. */
  files: readonly StoreFile[]
  /** Equal for leaves that would pack to the same shard, so that an unchanged one needs no content. */
  fingerprint: string
}

/**
 * A target's files shared out among shards: a trie over the hex digits of sha256(path), a leaf split by its next digit while
 * it is too large. It never changes; one that is made from another shares with it what the edit does not touch.
 */
export interface ShardTrie {
  /** Of all files below: see `costInShard`. */
  readonly cost: number
  readonly count: number
  /** A leaf has a layout; a branch has children, by digit. */
  readonly layout?: ShardLayout
  readonly children?: ReadonlyMap<string, ShardTrie>
}

/** Files by what they are found under; each path once. */
interface Hashed {
  file: StoreFile
  hash: string
}

/** Header, padding, key and facts, rounded up. */
const FILE_OVERHEAD = 1536
/** 64 hex digits, quotes, comma. */
const LISTED_DIGEST = 67
const HASH_DIGITS = 64
const EMPTY: ShardTrie = { cost: 0, count: 0 }

/**
 * The trie after files were removed and added; a file that changes is in both. The outcome depends on the set of paths and
 * sizes alone, never on history: an added file splits at most one leaf, and what became small enough is one leaf again. Pure.
 */
export function editTrie(
  trie: ShardTrie | undefined,
  removed: readonly StoreFile[],
  added: readonly StoreFile[],
): ShardTrie {
  return edit(trie ?? EMPTY, "", removed.map(hashed), added.map(hashed))
}

/** The leaves in prefix order. */
export function layoutsOf({ layout, children }: ShardTrie): ShardLayout[] {
  if (layout) return [layout]
  return [...(children ?? [])].flatMap(([, child]) => layoutsOf(child))
}

/** The leaves of a target's files, in prefix order, empty ones left out. Pure. */
export function splitIntoShards(files: readonly StoreFile[]): ShardLayout[] {
  return layoutsOf(editTrie(undefined, [], files))
}

function edit(
  trie: ShardTrie,
  prefix: string,
  removed: readonly Hashed[],
  added: readonly Hashed[],
): ShardTrie {
  if (removed.length === 0 && added.length === 0) return trie
  const cost = trie.cost - costOf(removed) + costOf(added)
  const count = trie.count - removed.length + added.length
  if (count === 0) return EMPTY
  const fits = count === 1 || cost <= SHARD_BYTES || prefix.length === HASH_DIGITS
  if (fits) return { cost, count, layout: leaf(prefix, filesAfter(trie, removed, added)) }
  if (trie.layout) return edit(EMPTY, prefix, [], filesAfter(trie, removed, added).map(hashed))
  return { cost, count, children: editChildren(trie, prefix, removed, added) }
}

function editChildren(
  { children }: ShardTrie,
  prefix: string,
  removed: readonly Hashed[],
  added: readonly Hashed[],
): ReadonlyMap<string, ShardTrie> {
  const digitOf = ({ hash }: Hashed) => hash.charAt(prefix.length)
  const gone = Map.groupBy(removed, digitOf)
  const come = Map.groupBy(added, digitOf)
  const digits = new Set([...(children?.keys() ?? []), ...come.keys()])
  const edited = [...digits].sort(compareText).map((digit) => {
    const child = children?.get(digit) ?? EMPTY
    return [digit, edit(child, prefix + digit, gone.get(digit) ?? [], come.get(digit) ?? [])] as const
  })
  return new Map(edited.filter(([, { count }]) => count > 0))
}

function filesAfter(trie: ShardTrie, removed: readonly Hashed[], added: readonly Hashed[]): StoreFile[] {
  const gone = new Set(removed.map(({ file }) => file.path))
  const stay = layoutsOf(trie).flatMap(({ files }) => files.filter(({ path }) => !gone.has(path)))
  return [...stay, ...added.map(({ file }) => file)]
}

function hashed(file: StoreFile): Hashed {
  return { file, hash: sha256(file.path) }
}

function costOf(files: readonly Hashed[]): number {
  return files.reduce((bytes, { file }) => bytes + costInShard(file), 0)
}

/** Bytes that a file adds to a shard: content or the digests of its parts, tar header and padding, its line in the listing. */
function costInShard(file: StoreFile): number {
  const content = goesInParts(file) ? Math.ceil(file.size / PART_BYTES) * LISTED_DIGEST : file.size
  return content + FILE_OVERHEAD + 2 * file.path.length
}

function leaf(prefix: string, files: readonly StoreFile[]): ShardLayout {
  const sorted = files.toSorted((a, b) => compareText(a.key, b.key) || compareText(a.path, b.path))
  const content = sorted.map(({ key, path, oid, executable, gzip }) => [key, path, oid, executable, gzip])
  const fingerprint = sha256(canonicalJson([SHARD_FORMAT, PART_BYTES, content]))
  return { prefix, files: sorted, fingerprint }
}
