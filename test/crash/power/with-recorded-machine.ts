import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { join } from "node:path"
import type { Disk } from "@headrace/agent/disk/disk"
import { openNodeDisk } from "@headrace/agent/disk/node-disk"
import type { LayoutName } from "@headrace/agent/layout/open-layout"
import { withFolder } from "../../harness/with-folder.ts"
import type { Machine } from "../operation-sequences.ts"
import { randomNumbers } from "../random-numbers.ts"
import { type WrappedDisk, wrapDisk } from "../wrap-disk.ts"
import { type Piece, survivingWrites } from "./block-log.ts"
import { copyImage, type FileSystem, IMAGE_BYTES, makeImage, mountImage, unmount } from "./file-systems.ts"
import { applyPieces, startRecorder } from "./with-recorded-disk.ts"

/** A machine whose power can be cut, and which is still there afterwards. */
interface Running {
  machine: Machine
  /** Ends its processes and unmounts it. */
  stop(): Promise<void>
}

/**
 * Runs `action` with a machine that has its projection on a real file system, fresh. A cut leaves what the disk had been
 * sent: all of it up to the last flush, and page by page a half of the rest by `seed`; the file system then replays its
 * journal on another disk that holds that.
 */
export async function withRecordedMachine<T>(
  type: FileSystem,
  layout: LayoutName,
  seed: number,
  action: (machine: Machine) => Promise<T>,
  weaken: (disk: Disk) => Disk = (same) => same,
): Promise<T> {
  return await withFolder(async (folder) => {
    const [template, mountPoint] = [join(folder, "template"), join(folder, "mnt")]
    makeImage(type, template)
    mkdirSync(mountPoint)
    const next = randomNumbers(seed)
    let running: Running | undefined

    async function boot(pieces: readonly Piece[]): Promise<Machine> {
      const own = mkdtempSync(join(folder, "machine-"))
      const image = join(own, "image")
      copyImage(template, image)
      applyPieces(image, pieces)
      const recorder = await startRecorder(own, image, IMAGE_BYTES[type])
      mountImage(recorder.disk, mountPoint)
      const processes: WrappedDisk[] = []
      const killAll = () => {
        for (const each of processes.splice(0)) each.die()
      }
      const stop = async () => {
        killAll()
        unmount(mountPoint)
        await recorder.stop()
        rmSync(own, { recursive: true })
      }
      const machine: Machine = {
        path: join(mountPoint, "shown"),
        layout,
        process: () => {
          const disk = wrapDisk(weaken(openNodeDisk()), () => undefined)
          processes.push(disk)
          return disk
        },
        async cut() {
          killAll()
          const events = recorder.events()
          const survivors = survivingWrites(events, events.length, () => next() < 0.5)
          await stop()
          return await boot([...pieces, ...survivors])
        },
      }
      running = { machine, stop }
      return machine
    }

    try {
      return await action(await boot([]))
    } finally {
      await running?.stop()
    }
  })
}
