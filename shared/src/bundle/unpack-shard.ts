import { sha256 } from "../foundation/digest.ts"
import { HeadraceError } from "../foundation/errors.ts"
import { contentName } from "./pack-shard.ts"
import { LISTING_NAME, type ListedFile, readListing } from "./shard-listing.ts"
import { readTar, type TarEntry } from "./tar-archive.ts"

/** What a shard says of each file. */
export interface ShardFileFacts {
  key: string
  path: string
  executable: boolean
  gzip: boolean
  size: number
  /** Of the uncompressed content, in hex. */
  sha256: string
}

/** A file of a shard: its content, or the digests of its parts in order (joinParts). */
export type ShardFile = ShardFileFacts &
  ({ content: Buffer; parts?: never } | { parts: string[]; content?: never })

/**
 * Unpacks what packShard packed and nothing else; every content is checked against its sha256. Contents share
 * the payload's memory.
 *
 * Throws the errors of readTar and readListing, `bundle/wrong-digest`, `bundle/wrong-size`, `bundle/missing-file`,
 * `bundle/unlisted-file`.
 */
export function unpackShard(payload: Buffer): ShardFile[] {
  const [first, ...entries] = readTar(payload)
  if (first?.name !== LISTING_NAME)
    throw new HeadraceError("bundle/bad-listing", `the shard does not start with ${LISTING_NAME}`)
  const rest = entries[Symbol.iterator]()
  const files = readListing(first.content).map((listed, index) =>
    unpackFile(listed, contentName(index), rest),
  )
  const extra = rest.next()
  if (!extra.done)
    throw new HeadraceError(
      "bundle/unlisted-file",
      `the shard holds ${extra.value.name}, which it does not list`,
    )
  return files
}

function unpackFile(listed: ListedFile, name: string, entries: Iterator<TarEntry>): ShardFile {
  const { parts, ...facts } = listed
  if (parts !== undefined) return { ...facts, parts }
  const entry = entries.next()
  if (entry.done || entry.value.name !== name) {
    throw new HeadraceError(
      "bundle/missing-file",
      `the shard lists ${facts.path} as ${name} and does not hold it there`,
    )
  }
  const { content, executable } = entry.value
  if (executable !== facts.executable) {
    throw new HeadraceError("bundle/bad-header", `the shard gives two modes for ${facts.path}`)
  }
  checkContent(facts, content)
  return { ...facts, content }
}

/**
 * A large file from its parts, which are read in order, one after the other: what memory has to hold is the file and one
 * part. The caller has judged `file.size`. Throws `bundle/wrong-size`, `bundle/wrong-digest`, and what `read` throws.
 */
export async function joinParts(
  file: ShardFileFacts & { parts: readonly string[] },
  read: (digest: string) => Promise<Buffer>,
): Promise<Buffer> {
  const content = Buffer.alloc(file.size)
  let at = 0
  for (const digest of file.parts) {
    const part = await read(digest)
    if (at + part.length > file.size) throw wrongSize(file, at + part.length)
    at += part.copy(content, at)
  }
  if (at !== file.size) throw wrongSize(file, at)
  checkContent(file, content)
  return content
}

function checkContent(file: ShardFileFacts, content: Buffer): void {
  if (content.length !== file.size) throw wrongSize(file, content.length)
  if (sha256(content) === file.sha256) return
  throw new HeadraceError("bundle/wrong-digest", `the content of ${file.path} is not what its sha256 says`)
}

function wrongSize({ path, size }: ShardFileFacts, actual: number): HeadraceError {
  return new HeadraceError("bundle/wrong-size", `${path} has ${actual} bytes, listed are ${size}`)
}
