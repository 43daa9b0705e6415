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

interface Hashed {
  file: StoreFile
  hash: string
}

/** Header, padding, key and facts, rounded up. */
const FILE_OVERHEAD = 1536
/** 64 hex digits, quotes, comma. */
const LISTED_DIGEST = 67
const DIGITS = "0123456789abcdef"

/**
 * Shares a target's files out among shards: a trie over the hex digits of sha256(path), a leaf split by its
 * next digit while it is too large. The split depends on the set of paths and sizes alone, never on history;
 * an added file splits at most one leaf. Leaves in prefix order, empty ones left out. Pure.
 */
export function splitIntoShards(files: readonly StoreFile[]): ShardLayout[] {
  const hashed = files.map((file) => ({ file, hash: sha256(file.path) }))
  return hashed.length === 0 ? [] : split("", hashed)
}

function split(prefix: string, files: readonly Hashed[]): ShardLayout[] {
  if (fits(files) || prefix.length === 64) return [leaf(prefix, files)]
  const byDigit = Map.groupBy(files, ({ hash }) => hash.charAt(prefix.length))
  return [...DIGITS].flatMap((digit) => {
    const branch = byDigit.get(digit)
    return branch ? split(prefix + digit, branch) : []
  })
}

function fits(files: readonly Hashed[]): boolean {
  let bytes = 0
  for (const { file } of files) bytes += costInShard(file)
  return files.length === 1 || bytes <= SHARD_BYTES
}

/** Bytes that a file adds to a shard: content or the digests of its parts, tar header and padding, its line in the listing. */
function costInShard(file: StoreFile): number {
  const content = goesInParts(file) ? Math.ceil(file.size / PART_BYTES) * LISTED_DIGEST : file.size
  return content + FILE_OVERHEAD + 2 * file.path.length
}

function leaf(prefix: string, hashed: readonly Hashed[]): ShardLayout {
  const files = hashed
    .map(({ file }) => file)
    .sort((a, b) => compareText(a.key, b.key) || compareText(a.path, b.path))
  const content = files.map(({ key, path, oid, executable, gzip }) => [key, path, oid, executable, gzip])
  return { prefix, files, fingerprint: sha256(canonicalJson([SHARD_FORMAT, PART_BYTES, content])) }
}
