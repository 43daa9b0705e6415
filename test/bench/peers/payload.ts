import type { RevisionFile } from "@headrace/agent/store/revision"
import { sha256 } from "@headrace/shared/foundation/digest"

const FILE_BYTES = 4096
const FILES_PER_FOLDER = 100

/** The same files for everybody: contents by path, and as a revision. */
export interface Payload {
  contents: ReadonlyMap<string, Buffer>
  files: readonly RevisionFile[]
}

/** Somebody who publishes. */
export interface Peer {
  name: string
  /** Not measured. */
  prepare?(payload: Payload): Promise<void> | void
  /** Gives the milliseconds that it took, where it was in another program; undefined: to be measured by the caller. */
  publish(payload: Payload): Promise<number | undefined> | Promise<void> | void
  /** Not measured: what it does while idle. */
  settled?(): Promise<void>
  close?(): Promise<void> | void
}

/** `count` files of 4 KiB in folders of a hundred. */
export function payload(count: number): Payload {
  const contents = new Map<string, Buffer>()
  for (let index = 0; index < count; index++) {
    const path = `d${Math.floor(index / FILES_PER_FOLDER)}/f${index}`
    contents.set(path, content(path, "first"))
  }
  return { contents, files: [...contents].map(([path, bytes]) => revisionFile(path, bytes)) }
}

/** The same with `changed` files of other content; `round` chooses which. */
export function bumped(payload: Payload, changed: number, round: number): Payload {
  const paths = [...payload.contents.keys()]
  const contents = new Map(payload.contents)
  const files = [...payload.files]
  for (let index = 0; index < changed; index++) {
    const position = (round * 7 + index) % paths.length
    const path = paths[position] ?? ""
    const bytes = content(path, `round ${round}`)
    contents.set(path, bytes)
    files[position] = revisionFile(path, bytes)
  }
  return { contents, files }
}

function content(path: string, what: string): Buffer {
  return Buffer.alloc(FILE_BYTES, `${path} ${what}\n`)
}

function revisionFile(path: string, bytes: Buffer): RevisionFile {
  return { path, mode: 0o444, size: bytes.length, sha256: sha256(bytes), read: async () => bytes }
}
