/** A file as the store keeps it: one key of a target. */
export interface StoreFile {
  key: string
  /** Path in the source, `/` between parts. */
  path: string
  /** Names the content: git's blob id, or `sha256:…`. */
  oid: string
  /** Bytes of the content, uncompressed. */
  size: number
  executable: boolean
  /** True when the view gzips this key. */
  gzip: boolean
}

/** One immutable object of the store, named by the digest of its payload. */
export interface StoreObject {
  kind: "shard" | "index"
  /** SHA-256 of `payload` in hex: of the uncompressed bytes, since gzip's differ between zlib versions. */
  digest: string
  payload: Buffer
}

/**
 * What the files of one shard sum to before a leaf is split; about a quarter of it compressed. What a change
 * costs at the API server, and on every watch, grows with the size of the object that it rewrites.
 */
export const SHARD_BYTES = 256 * 1024

/** Larger files go in parts of this size, each an object of its own: it fits a ConfigMap even uncompressed. */
export const PART_BYTES = 512 * 1024

/** The format of shards that this version writes and reads. */
export const SHARD_FORMAT = 1

/** True for a file whose content is in part objects beside its shard. */
export function goesInParts(file: { size: number }): boolean {
  return file.size > PART_BYTES
}
