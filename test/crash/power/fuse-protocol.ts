/**
 * The part of the FUSE protocol (linux/fuse.h, version 7.31) that a folder with two plain files needs: requests as
 * the kernel writes them to /dev/fuse, answers as it wants them. All numbers are little-endian.
 */
export const OPERATION = {
  lookup: 1,
  forget: 2,
  getAttributes: 3,
  setAttributes: 4,
  open: 14,
  read: 15,
  write: 16,
  statistics: 17,
  release: 18,
  fsync: 20,
  flush: 25,
  init: 26,
  interrupt: 36,
  destroy: 38,
  forgetMany: 42,
} as const

/** Requests that the kernel wants no answer to. */
export const UNANSWERED: ReadonlySet<number> = new Set([
  OPERATION.forget,
  OPERATION.interrupt,
  OPERATION.forgetMany,
])

/** The folder itself, in every FUSE file system. */
export const ROOT_NODE = 1
/** The most that one write request carries, in bytes. */
export const MAX_WRITE = 1 << 20
const REQUEST_HEADER = 40
const ANSWER_HEADER = 16
/** A buffer for one request. */
export const REQUEST_BYTES = MAX_WRITE + 4096

const VERSION = { major: 7, minor: 31 }
const BIG_WRITES = 1 << 5
const MAX_PAGES = 1 << 22
const PAGE = 4096
const FILE_MODE = 0o100600
const FOLDER_MODE = 0o040700
/** Seconds for which the kernel may trust a name or size. */
const VALID = 3600n

export interface Request {
  operation: number
  id: bigint
  node: number
  body: Buffer
}

/** Takes one request apart; `bytes` is a view that the next read overwrites. */
export function parseRequest(bytes: Buffer): Request {
  return {
    operation: bytes.readUInt32LE(4),
    id: bytes.readBigUInt64LE(8),
    node: Number(bytes.readBigUInt64LE(16)),
    body: bytes.subarray(REQUEST_HEADER),
  }
}

/** The place and size that a read asks for, or a write brings. */
export function parseRange(body: Buffer): { offset: number; size: number } {
  return { offset: Number(body.readBigUInt64LE(8)), size: body.readUInt32LE(16) }
}

/** What a write brings. */
export function parseData(body: Buffer): Buffer {
  return body.subarray(REQUEST_HEADER, REQUEST_HEADER + parseRange(body).size)
}

/** An answer; `error` is a positive errno. */
export function answer(id: bigint, body: Buffer = Buffer.alloc(0), error = 0): Buffer {
  const header = Buffer.alloc(ANSWER_HEADER)
  header.writeUInt32LE(ANSWER_HEADER + body.length, 0)
  header.writeInt32LE(-error, 4)
  header.writeBigUInt64LE(id, 8)
  return Buffer.concat([header, body])
}

/** What this side can do, as an answer to `init`. */
export function initAnswer(): Buffer {
  const body = Buffer.alloc(64)
  body.writeUInt32LE(VERSION.major, 0)
  body.writeUInt32LE(VERSION.minor, 4)
  body.writeUInt32LE(MAX_WRITE, 8)
  body.writeUInt32LE(BIG_WRITES | MAX_PAGES, 12)
  body.writeUInt16LE(16, 16)
  body.writeUInt16LE(12, 18)
  body.writeUInt32LE(MAX_WRITE, 20)
  body.writeUInt32LE(1, 24)
  body.writeUInt16LE(MAX_PAGES_PER_REQUEST, 28)
  return body
}
const MAX_PAGES_PER_REQUEST = MAX_WRITE / PAGE

/** An answer to `lookup`: the node that a name leads to. */
export function entryAnswer(node: number, size: number): Buffer {
  const head = Buffer.alloc(40)
  head.writeBigUInt64LE(BigInt(node), 0)
  head.writeBigUInt64LE(VALID, 16)
  head.writeBigUInt64LE(VALID, 24)
  return Buffer.concat([head, attributes(node, size)])
}

/** An answer to `getAttributes`. */
export function attributesAnswer(node: number, size: number): Buffer {
  const head = Buffer.alloc(16)
  head.writeBigUInt64LE(VALID, 0)
  return Buffer.concat([head, attributes(node, size)])
}

/** An answer to `write`: how much of it was taken. */
export function writtenAnswer(size: number): Buffer {
  const body = Buffer.alloc(8)
  body.writeUInt32LE(size, 0)
  return body
}

/** Answers to `open` (no handle of ours, the usual caching) and to `statistics` (nothing to report). */
export const OPEN_ANSWER = Buffer.alloc(16)
export const STATISTICS_ANSWER = Buffer.alloc(80)

function attributes(node: number, size: number): Buffer {
  const body = Buffer.alloc(88)
  body.writeBigUInt64LE(BigInt(node), 0)
  body.writeBigUInt64LE(BigInt(size), 8)
  body.writeBigUInt64LE(BigInt(Math.ceil(size / 512)), 16)
  body.writeUInt32LE(node === ROOT_NODE ? FOLDER_MODE : FILE_MODE, 60)
  body.writeUInt32LE(1, 64)
  body.writeUInt32LE(PAGE, 80)
  return body
}
