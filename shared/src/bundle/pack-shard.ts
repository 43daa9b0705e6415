import { sha256 } from "../foundation/digest.ts"
import { HeadraceError } from "../foundation/errors.ts"
import { LISTING_NAME, type ListedFile, writeListing } from "./shard-listing.ts"
import type { ShardLayout } from "./shard-trie.ts"
import { goesInParts, PART_BYTES, type StoreFile, type StoreObject } from "./store-file.ts"
import { type TarEntry, writeTar } from "./tar-archive.ts"

/** A shard, and the parts of its files that are too large for it, in order of first use, each once. */
export interface PackedShard {
  shard: StoreObject
  parts: StoreObject[]
}

/**
 * Packs a leaf: a tar of `files.json` (the listing, with key, path, mode, size and sha256 of each file) and the
 * contents as `files/0`, `files/1` and so on in the listing's order, so that no name in an archive ever chooses a
 * place. A large file is in the listing only, with the digests of its parts: objects whose payload is
 * a piece of its bytes. Deterministic, pure.
 *
 * `contents` are the bytes of `layout.files`, in the same order. Throws `bundle/wrong-size`.
 */
export function packShard(layout: ShardLayout, contents: readonly Buffer[]): PackedShard {
  const listed: ListedFile[] = []
  const entries: TarEntry[] = []
  const parts = new Map<string, StoreObject>()
  layout.files.forEach((file, index) => {
    const content = contents[index]
    if (content?.length !== file.size) throw wrongSize(file, content?.length)
    const { key, path, executable, gzip, size } = file
    const facts = { key, path, executable, gzip, size, sha256: sha256(content) }
    if (!goesInParts(file)) {
      listed.push(facts)
      entries.push({ name: contentName(index), executable, content })
      return
    }
    const pieces = cut(content)
    for (const piece of pieces) parts.set(piece.digest, piece)
    listed.push({ ...facts, parts: pieces.map((piece) => piece.digest) })
  })
  const listing: TarEntry = { name: LISTING_NAME, executable: false, content: writeListing(listed) }
  const payload = writeTar([listing, ...entries])
  return { shard: { kind: "shard", digest: sha256(payload), payload }, parts: [...parts.values()] }
}

/** The name in the archive of the file at this place of the listing. */
export function contentName(index: number): string {
  return `files/${index}`
}

function cut(content: Buffer): StoreObject[] {
  const pieces: StoreObject[] = []
  for (let at = 0; at < content.length; at += PART_BYTES) {
    const payload = content.subarray(at, at + PART_BYTES)
    pieces.push({ kind: "shard", digest: sha256(payload), payload })
  }
  return pieces
}

function wrongSize(file: StoreFile, actual: number | undefined): HeadraceError {
  return new HeadraceError(
    "bundle/wrong-size",
    `${file.path} has ${actual ?? "no"} bytes instead of ${file.size}`,
  )
}
