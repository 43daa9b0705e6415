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

/** An object whose content is coming in. */
interface Reading extends FoundObject {
  /** Bytes of `content` that have come. */
  filled: number
}

const NOTHING = Buffer.alloc(0)
const NEWLINE = 0x0a
const LONGEST_HEADER = 4096
/** Bytes of a commit, a tag or a tree. A blob is measured before it is asked for, by the settings' bound. */
const MOST_BYTES = 64 * 1024 * 1024

/**
 * Reads the stream of `git cat-file --batch` (or `--batch-check`, without contents): a header line, then
 * as many bytes as it says, then a newline. git-cat-file(1), "BATCH OUTPUT".
 */
export class BatchParser {
  /** Bytes that came and were not read yet. */
  #held: Buffer = NOTHING
  #reading: Reading | undefined
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
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    while (this.#reading === undefined ? this.#readHeader() : this.#readContent(this.#reading)) {}
  }

  #readHeader(): boolean {
    const held = this.#held
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
    const [, oid = "", type = "", digits = ""] = header
    const size = Number(digits)
    if (!this.#withContent) this.#answer({ oid, type, size, content: Buffer.alloc(0) })
    else if (type !== "blob" && size > MOST_BYTES) this.#skip({ oid, type, size })
    // Where it ends up at once: chunks that were kept until the last one came took the memory of a large file three times.
    else this.#reading = { oid, type, size, content: Buffer.allocUnsafe(size), filled: 0 }
    return true
  }

  /** What follows is dropped as it comes in, with the newline after it. */
  #skip({ oid, type, size }: { oid: string; type: string; size: number }): void {
    const dropped = Math.min(size + 1, this.#held.length)
    this.#keep(this.#held.subarray(dropped))
    this.#skipped = size + 1 - dropped
    this.#answer(tooLarge(oid, type, size))
  }

  #readContent(reading: Reading): boolean {
    const copied = this.#held.copy(reading.content, reading.filled)
    reading.filled += copied
    this.#keep(this.#held.subarray(copied))
    if (reading.filled < reading.size || this.#held.length === 0) return false
    // The newline after it.
    this.#keep(this.#held.subarray(1))
    this.#reading = undefined
    const { filled: _, ...found } = reading
    this.#answer(found)
    return true
  }

  /** Of nothing the chunk is not kept. */
  #keep(rest: Buffer): void {
    this.#held = rest.length === 0 ? NOTHING : rest
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
