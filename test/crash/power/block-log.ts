/** What reached a disk, in order: writes, flushes of its cache, and marks that the writer made meanwhile. */
export type BlockEvent =
  | { kind: "write"; offset: number; data: Buffer }
  | { kind: "flush" }
  | { kind: "mark"; text: string }

const KINDS = ["write", "flush", "mark"] as const
const HEADER = 16

/** One event as bytes of a log file. */
export function encodeEvent(event: BlockEvent): Buffer {
  const data = dataOf(event)
  const header = Buffer.alloc(HEADER)
  header.writeUInt32LE(KINDS.indexOf(event.kind), 0)
  header.writeUInt32LE(data.length, 4)
  header.writeBigUInt64LE(BigInt(event.kind === "write" ? event.offset : 0), 8)
  return Buffer.concat([header, data])
}

function dataOf(event: BlockEvent): Buffer {
  if (event.kind === "write") return event.data
  return event.kind === "mark" ? Buffer.from(event.text) : Buffer.alloc(0)
}

/** The events of a log file. */
export function decodeLog(bytes: Buffer): BlockEvent[] {
  const events: BlockEvent[] = []
  for (let at = 0; at < bytes.length; ) {
    const kind = KINDS[bytes.readUInt32LE(at)]
    const data = bytes.subarray(at + HEADER, at + HEADER + bytes.readUInt32LE(at + 4))
    if (kind === "write") events.push({ kind, offset: Number(bytes.readBigUInt64LE(at + 8)), data })
    else if (kind === "mark") events.push({ kind, text: data.toString() })
    else events.push({ kind: "flush" })
    at += HEADER + data.length
  }
  return events
}

/** What a disk without power keeps of a write, at the least: a page of it. */
const PIECE = 4096

export interface Piece {
  offset: number
  data: Buffer
}

/**
 * The writes that a disk holds after its power was cut when `length` events had reached it: all of those up to the
 * last flush, and of the rest, page by page, what `survives` says. Leaving out any subset gives what any order of
 * writing back would have, since pages written twice keep their order among the rest.
 */
export function survivingWrites(
  events: readonly BlockEvent[],
  length: number,
  survives: () => boolean,
): Piece[] {
  const reached = events.slice(0, length)
  const flushed = reached.findLastIndex(({ kind }) => kind === "flush")
  const pieces: Piece[] = []
  for (const [index, event] of reached.entries()) {
    if (event.kind !== "write") continue
    for (let start = 0; start < event.data.length; start += PIECE) {
      if (index > flushed && !survives()) continue
      pieces.push({ offset: event.offset + start, data: event.data.subarray(start, start + PIECE) })
    }
  }
  return pieces
}
