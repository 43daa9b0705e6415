import { spawn } from "node:child_process"
import { constants, openSync, read, readSync, writeSync } from "node:fs"
import { constants as system } from "node:os"
import { encodeEvent } from "./block-log.ts"
import {
  answer,
  attributesAnswer,
  entryAnswer,
  initAnswer,
  OPEN_ANSWER,
  OPERATION,
  parseData,
  parseRange,
  parseRequest,
  REQUEST_BYTES,
  type Request,
  STATISTICS_ANSWER,
  UNANSWERED,
  writtenAnswer,
} from "./fuse-protocol.ts"

/**
 * Serves a FUSE file system at the folder argv[2] with two files: `disk`, backed by the image argv[3] of argv[5]
 * bytes, for a loop device, and `mark`. Each write to them, and each fsync of `disk` (which is what a
 * loop device makes of a flush), becomes an event of the log argv[4], in the order in which it was answered.
 * Prints `ready`; ends when the folder is unmounted, or its input ends.
 */
const [folder = "", image = "", log = "", size = ""] = process.argv.slice(2)
const NODES: Record<string, number> = { disk: 2, mark: 3 }
const DISK = 2
const DISK_BYTES = Number(size)

const device = openSync("/dev/fuse", constants.O_RDWR)
const disk = openSync(image, constants.O_RDWR)
const events = openSync(log, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC)

function record(event: Parameters<typeof encodeEvent>[0]): void {
  writeSync(events, encodeEvent(event))
}

function sizeOf(node: number): number {
  return node === DISK ? DISK_BYTES : 0
}

/** The body of the answer to a request, or the errno of a refusal. */
function serve({ operation, node, body }: Request): Buffer | number {
  switch (operation) {
    case OPERATION.init:
      return initAnswer()
    case OPERATION.lookup:
      return lookup(body.toString("utf8", 0, body.indexOf(0)))
    case OPERATION.getAttributes:
    case OPERATION.setAttributes:
      return attributesAnswer(node, sizeOf(node))
    case OPERATION.open:
      return OPEN_ANSWER
    case OPERATION.statistics:
      return STATISTICS_ANSWER
    case OPERATION.read:
      return readDisk(parseRange(body))
    case OPERATION.write:
      return write(node, parseRange(body).offset, parseData(body))
    case OPERATION.fsync:
      if (node === DISK) record({ kind: "flush" })
      return Buffer.alloc(0)
    case OPERATION.flush:
    case OPERATION.release:
    case OPERATION.destroy:
      return Buffer.alloc(0)
    default:
      return system.errno.ENOSYS
  }
}

function lookup(name: string): Buffer | number {
  const node = NODES[name]
  return node === undefined ? system.errno.ENOENT : entryAnswer(node, sizeOf(node))
}

function readDisk({ offset, size }: { offset: number; size: number }): Buffer {
  const buffer = Buffer.alloc(size)
  return buffer.subarray(0, readSync(disk, buffer, 0, size, offset))
}

function write(node: number, offset: number, data: Buffer): Buffer {
  if (node === DISK) {
    writeSync(disk, data, 0, data.length, offset)
    record({ kind: "write", offset, data })
  } else record({ kind: "mark", text: data.toString() })
  return writtenAnswer(data.length)
}

const buffer = Buffer.alloc(REQUEST_BYTES)

function next(): void {
  read(device, buffer, 0, buffer.length, null, (error, length) => {
    // Not mounted yet.
    if (error?.code === "EPERM") return setTimeout(next, 1)
    // ENOENT: a request that was taken back before we read it. Anything else, such as ENODEV: unmounted.
    if (error && error.code !== "ENOENT" && error.code !== "EINTR") return process.exit(0)
    if (!error) respond(parseRequest(buffer.subarray(0, length)))
    return next()
  })
}

function respond(request: Request): void {
  if (UNANSWERED.has(request.operation)) return
  const result = serve(request)
  const reply =
    typeof result === "number" ? answer(request.id, undefined, result) : answer(request.id, result)
  writeSync(device, reply)
}

next()
process.stdin.on("end", () => process.exit(0))
process.stdin.resume()

// The kernel asks for the folder while mount(8) runs, so serving goes on meanwhile.
const options = `fd=3,rootmode=40000,user_id=0,group_id=0`
const mounting = spawn("mount", ["-i", "-t", "fuse", "-o", options, "headrace-recorder", folder], {
  stdio: ["ignore", "ignore", "inherit", device],
})
mounting.on("close", (code) => {
  if (code !== 0) process.exit(1)
  writeSync(1, "ready\n")
})
