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

/**
 * Reads the stream of `git cat-file --batch` (or `--batch-check`, without contents): a header line, then
 * as many bytes as it says, then a newline. git-cat-file(1), "BATCH OUTPUT".
 */
export class BatchParser {
  #pieces: Buffer[] = []
  #held = 0
  #header: { oid: string; type: string; size: number } | undefined
  readonly #withContent: boolean
  readonly #answer: (found: FoundObject | undefined) => void

  /** `answer` is called in the order of the requests; undefined: there is no such object. */
  constructor(withContent: boolean, answer: (found: FoundObject | undefined) => void) {
    this.#withContent = withContent
    this.#answer = answer
  }

  /** Takes the next bytes. Throws `git/reader-protocol`. */
  push(chunk: Buffer): void {
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
    if (this.#withContent) this.#header = { oid, type, size: Number(size) }
    else this.#answer({ oid, type, size: Number(size), content: Buffer.alloc(0) })
    return true
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
