import { HeadraceError } from "../../foundation/errors.ts"

/** What git answered for one name. */
export interface FoundObject {
  oid: string
  type: string
  /** Bytes of the content. */
  size: number
  /** Empty when only asked whether it is there. */
  content: Buffer
}

const NEWLINE = 0x0a
const LONGEST_HEADER = 4096
/** Bytes of a commit, a tag or a tree. A blob is measured before it is asked for, by the settings' bound. */
const MOST_BYTES = 64 * 1024 * 1024

/**
 * Reads the stream of `git cat-file --batch` (or `--batch-check`, without contents): a header line, then
 * as many bytes as it says, then a newline. git-cat-file(1), "BATCH OUTPUT".
 */
export class BatchParser {
  #pieces: Buffer[] = []
  #held = 0
  #header: { oid: string; type: string; size: number } | undefined
  readonly #withContent: boolean
  readonly #answer: (found: FoundObject | undefined | HeadraceError) => void
  /** Bytes of a content that is too large to be kept, which are still to come. */
  #skipped = 0

  /**
   * `answer` is called in the order of the requests; undefined: there is no such object. It gets an error
   * `git/object-too-large` for a commit, tag or tree of more than 64 MiB.
   */
  constructor(withContent: boolean, answer: (found: FoundObject | undefined | HeadraceError) => void) {
    this.#withContent = withContent
    this.#answer = answer
  }

  /** Takes the next bytes. Throws `git/reader-protocol`. */
  push(given: Buffer): void {
    const chunk = given.subarray(Math.min(this.#skipped, given.length))
    this.#skipped -= given.length - chunk.length
    if (chunk.length === 0) return
    this.#pieces.push(chunk)
    this.#held += chunk.length
    while (this.#header === undefined ? this.#readHeader() : this.#readContent(this.#header)) {}
  }

  #readHeader(): boolean {
    const held = this.#join()
    const end = held.indexOf(NEWLINE)
    if (end === -1 && held.length < LONGEST_HEADER) return false
    const line = held.subarray(0, end === -1 ? LONGEST_HEADER : end).toString("latin1")
    this.#keep(held.subarray(end + 1))
    const header = /^([0-9a-f]{40,64}) (\w+) (\d+)$/.exec(line)
    if (header === null) {
      if (!line.endsWith(" missing")) {
        throw new HeadraceError("git/reader-protocol", `git cat-file answered ${JSON.stringify(line)}`)
      }
      this.#answer(undefined)
      return true
    }
    const [, oid = "", type = "", size = ""] = header
    if (!this.#withContent) this.#answer({ oid, type, size: Number(size), content: Buffer.alloc(0) })
    else if (type !== "blob" && Number(size) > MOST_BYTES) this.#skip({ oid, type, size: Number(size) })
    else this.#header = { oid, type, size: Number(size) }
    return true
  }

  /** What follows is dropped as it comes in, with the newline after it. */
  #skip({ oid, type, size }: { oid: string; type: string; size: number }): void {
    const held = this.#join()
    const dropped = Math.min(size + 1, held.length)
    this.#keep(held.subarray(dropped))
    this.#skipped = size + 1 - dropped
    this.#answer(tooLarge(oid, type, size))
  }

  #readContent(header: { oid: string; type: string; size: number }): boolean {
    if (this.#held < header.size + 1) return false
    const held = this.#join()
    this.#keep(held.subarray(header.size + 1))
    this.#header = undefined
    // A copy, so that a small file does not keep a whole chunk of the pipe in memory.
    this.#answer({ ...header, content: Buffer.from(held.subarray(0, header.size)) })
    return true
  }

  #join(): Buffer {
    const [only] = this.#pieces
    if (this.#pieces.length === 1 && only) return only
    const held = Buffer.concat(this.#pieces)
    this.#pieces = [held]
    return held
  }

  #keep(rest: Buffer): void {
    this.#pieces = rest.length === 0 ? [] : [rest]
    this.#held = rest.length
  }
}

function tooLarge(oid: string, type: string, size: number): HeadraceError {
  return new HeadraceError(
    "git/object-too-large",
    `${type} ${oid} has ${size} bytes, and at most ${MOST_BYTES} are read`,
    {
      hint: "Rewrite the branch without it: no such commit, tag or tree is written on purpose.",
    },
  )
}
