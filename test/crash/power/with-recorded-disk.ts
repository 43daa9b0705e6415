import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { until } from "../../harness/until.ts"
import { withFolder } from "../../harness/with-folder.ts"
import { type BlockEvent, decodeLog, type Piece } from "./block-log.ts"
import { copyImage, type FileSystem, IMAGE_BYTES, makeImage, mountImage, unmount } from "./file-systems.ts"

const RECORDER = fileURLToPath(new URL("block-recorder-process.ts", import.meta.url))

/** A disk with a fresh file system, of which each write and flush is recorded. */
export interface RecordedDisk {
  /** Mounts it for `work`, which may leave marks among the events. Gives all events in their order. */
  record(work: (path: string, mark: (text: string) => void) => Promise<void>): Promise<BlockEvent[]>
  /** Mounts, journal replayed, a disk that holds the fresh file system and these writes. */
  restore<T>(pieces: readonly Piece[], look: (path: string) => Promise<T>): Promise<T>
}

/**
 * Runs `action` with a recorded disk. The file system is on a loop device over a file that a process of ours
 * serves through FUSE: a loop device writes through to its file and turns each flush into an fsync, so that process
 * sees what a disk with a volatile cache would (it has no FUA, for which the kernel then sends write and flush).
 */
export async function withRecordedDisk<T>(
  type: FileSystem,
  action: (disk: RecordedDisk) => Promise<T>,
): Promise<T> {
  return await withFolder(async (folder) => {
    const template = join(folder, "template")
    const mountPoint = join(folder, "mnt")
    makeImage(type, template)
    mkdirSync(mountPoint)
    let restored = 0
    return await action({
      record: (work) => record(folder, IMAGE_BYTES[type], work),
      restore: async (pieces, look) => {
        // A file of its own, so that the kernel makes a device of its own: on a busy machine the loop device of an
        // earlier look may still be there, with that look's disk in its cache.
        const image = join(folder, `restored-${++restored}`)
        try {
          copyImage(template, image)
          applyPieces(image, pieces)
          return await withMounted(image, mountPoint, look)
        } finally {
          rmSync(image, { force: true })
        }
      },
    })
  })
}

async function record(
  folder: string,
  bytes: number,
  work: (path: string, mark: (text: string) => void) => Promise<void>,
): Promise<BlockEvent[]> {
  // Files and folders of its own, so that no loop device of an earlier recording has them in its cache.
  const own = mkdtempSync(join(folder, "record-"))
  const image = join(own, "recorded")
  copyImage(join(folder, "template"), image)
  const recorder = await startRecorder(own, image, bytes)
  try {
    await withMounted(recorder.disk, join(folder, "mnt"), (path) => work(path, recorder.mark))
  } finally {
    await recorder.stop()
  }
  const events = recorder.events()
  rmSync(own, { recursive: true })
  return events
}

/** A process that serves an image as a file for a loop device, and records what is done to it. */
export interface Recorder {
  /** The file. */
  disk: string
  mark(text: string): void
  /** What has reached the disk until now. */
  events(): BlockEvent[]
  /** Ends it; the loop device is to be detached by then. */
  stop(): Promise<void>
}

/** Starts a recorder of an image of so many bytes; its own files are in `folder`. */
export async function startRecorder(folder: string, image: string, bytes: number): Promise<Recorder> {
  const [log, served] = [join(folder, "log"), join(folder, "served")]
  mkdirSync(served)
  const recorder = spawn(
    process.execPath,
    ["--conditions=source", RECORDER, served, image, log, String(bytes)],
    { stdio: ["pipe", "pipe", "inherit"] },
  )
  const ended = once(recorder, "close")
  const stop = async () => {
    // The loop device closes its file a moment after the file system is unmounted.
    if (recorder.exitCode === null) await until(() => isUnmounted(served))
    await ended
  }
  try {
    await isReady(recorder)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    disk: join(served, "disk"),
    mark: (text) => mark(served, text),
    events: () => decodeLog(readFileSync(log)),
    stop,
  }
}

async function isReady(recorder: ChildProcess): Promise<void> {
  const [first] = await Promise.race([once(recorder.stdout ?? recorder, "data"), once(recorder, "close")])
  if (String(first) !== "ready\n") throw new Error("the recorder did not start")
}

async function withMounted<T>(
  image: string,
  mountPoint: string,
  action: (path: string) => Promise<T>,
): Promise<T> {
  mountImage(image, mountPoint)
  try {
    return await action(mountPoint)
  } finally {
    unmount(mountPoint)
  }
}

function mark(served: string, text: string): void {
  const fd = openSync(join(served, "mark"), "r+")
  writeSync(fd, text, 0)
  closeSync(fd)
}

function isUnmounted(folder: string): boolean {
  try {
    unmount(folder)
    return true
  } catch {
    return false
  }
}

/** Writes to an image what a disk holds. */
export function applyPieces(image: string, pieces: readonly Piece[]): void {
  const fd = openSync(image, "r+")
  for (const { offset, data } of pieces) writeSync(fd, data, 0, data.length, offset)
  closeSync(fd)
}
