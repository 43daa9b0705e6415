const LF = 0x0a
/** Types of RESP2 and RESP3 that announce bytes, and how many elements those that announce elements have for each. */
const BULKS = "$!="
const ELEMENTS: Readonly<Record<string, number>> = { "*": 1, "~": 1, ">": 1, "%": 2, "|": 2 }
/** No reply of a command of ours is nested nearly as deep. */
const MOST_DEPTH = 64
/** Of a line: a status, an error, a number or a length. */
const MOST_LINE = 64 * 1024
const LINE_BREAK = 2
/** Bytes of the shortest element on the wire: `_`, the null of RESP3, and its line break. */
const LEAST_ELEMENT = 3

/** Follows the replies of Redis as they come in, and measures each. */
export interface ReplyMeter {
  /** Takes the next bytes. True: they are within the bound. Once false, it stays false. */
  push(chunk: Uint8Array): boolean
  /** How many replies the last chunk brought to their end: before a breach, those ahead of the one that is too large. */
  ended(): number
}

/**
 * Measures replies in RESP2 and RESP3 (https://redis.io/docs/latest/develop/reference/protocol-spec/) without keeping them: a reply of
 * more than `most` bytes, or one that announces more by the length of a bulk string or an array, is beyond the bound
 * before it is in memory. ioredis' parser would hold all of it.
 */
export function createReplyMeter(most: number): ReplyMeter {
  let isWithin = true
  /** Bytes of the reply so far. */
  let size = 0
  let ended = 0
  /** A push of RESP3 answers no command. */
  let isPush = false
  /** Elements that are yet to come of each array that is open. */
  const open: number[] = []
  /** Bytes of a bulk string, with its line break, that are yet to come. */
  let bulk = 0
  let line = ""

  function endElement(): void {
    while (open.length > 0) {
      const left = (open.pop() ?? 0) - 1
      if (left > 0) {
        open.push(left)
        return
      }
    }
    if (!isPush) ended += 1
    isPush = false
    size = 0
  }

  /** False for a length that the bound has no room for. */
  function takeLine(text: string): boolean {
    const kind = text.charAt(0)
    if (kind === ">" && open.length === 0) isPush = true
    const length = Number(text.slice(1))
    if (BULKS.includes(kind) && length >= 0) {
      bulk = length + LINE_BREAK
      return size + length <= most
    }
    const elements = length * (ELEMENTS[kind] ?? 0)
    if (elements > 0) {
      open.push(elements)
      return size + elements * LEAST_ELEMENT <= most && open.length <= MOST_DEPTH
    }
    endElement()
    return true
  }

  /** Takes what there is of a bulk string; gives where it ends in the chunk. */
  function takeBulk(chunk: Uint8Array, at: number): number {
    const taken = Math.min(bulk, chunk.length - at)
    bulk -= taken
    size += taken
    if (size > most) isWithin = false
    else if (bulk === 0) endElement()
    return at + taken
  }

  /** Takes what there is of a line; gives where it ends in the chunk. */
  function takePiece(chunk: Uint8Array, at: number): number {
    const end = chunk.indexOf(LF, at)
    const stop = end === -1 ? chunk.length : end + 1
    line += Buffer.from(chunk.subarray(at, stop)).toString("latin1")
    size += stop - at
    if (line.length > MOST_LINE || size > most) isWithin = false
    else if (end !== -1) {
      const text = line.replace(/\r?\n$/, "")
      line = ""
      isWithin = takeLine(text)
    }
    return stop
  }

  return {
    push(chunk) {
      let at = 0
      ended = 0
      while (isWithin && at < chunk.length) {
        at = bulk > 0 ? takeBulk(chunk, at) : takePiece(chunk, at)
      }
      return isWithin
    },
    ended: () => ended,
  }
}
