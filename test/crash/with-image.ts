import { execFileSync, spawnSync } from "node:child_process"
import {
  closeSync,
  constants,
  copyFileSync,
  mkdirSync,
  openSync,
  renameSync,
  truncateSync,
  writeFileSync,
} from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import { withMemoryFolder } from "../harness/with-folder.ts"

/** What we use of koffi, which is the agent's dependency. */
interface Koffi {
  load(library: null): { func(signature: string): (...values: unknown[]) => number }
  errno(): number
}

export type FileSystem = "ext4" | "xfs" | "btrfs"

/** The smallest that mkfs of each accepts, in bytes. */
const IMAGE_BYTES: Record<FileSystem, number> = {
  ext4: 48 * 2 ** 20,
  xfs: 320 * 2 ** 20,
  btrfs: 128 * 2 ** 20,
}
const MKFS_FLAGS: Record<FileSystem, string[]> = {
  ext4: ["-q", "-F"],
  xfs: ["-q", "-f"],
  btrfs: ["-q", "-f"],
}

/** XFS_IOC_GOINGDOWN, which ext4, xfs and f2fs share; xfstests cuts the power with it. */
const FS_IOC_SHUTDOWN = 0x8004587d
/** Neither data nor journal is flushed. */
const NO_LOG_FLUSH = 2

/** Why power cannot be cut on this file system here; undefined when it can. */
export function powerCutMissing(type: FileSystem): string | undefined {
  if (process.platform !== "linux") return "it needs Linux"
  if (process.getuid?.() !== 0) return "it needs root, to mount a loop device"
  if (spawnSync(`mkfs.${type}`, ["-V"], { stdio: "ignore" }).error) return `mkfs.${type} is not installed`
  try {
    createRequire(import.meta.url)("koffi")
  } catch {
    return "koffi is not installed"
  }
  return undefined
}

/**
 * How the power is cut. `shutdown` asks the file system to drop all that it has not flushed. `copy` takes what has
 * reached the device so far, while the writer stands still; it works on any file system.
 */
export type CutMethod = "shutdown" | "copy"

/** btrfs knows no shutdown. */
export function cutMethods(type: FileSystem): CutMethod[] {
  return type === "btrfs" ? ["copy"] : ["shutdown", "copy"]
}

/** Makes a file system once; `action` gets a function that runs its own action on a fresh copy, again and again. */
export async function withImage<T>(
  type: FileSystem,
  method: CutMethod,
  action: (withCopy: <R>(use: (disk: CuttableDisk) => Promise<R>) => Promise<R>) => Promise<T>,
): Promise<T> {
  return await withMemoryFolder(async (folder) => {
    const template = join(folder, "template")
    writeFileSync(template, "")
    truncateSync(template, IMAGE_BYTES[type])
    execFileSync(`mkfs.${type}`, [...MKFS_FLAGS[type], template], { stdio: "ignore" })
    const mountPoint = join(folder, "mnt")
    mkdirSync(mountPoint)
    return await action(async (use) => {
      const image = join(folder, "image")
      const snapshot = join(folder, "snapshot")
      copyFileSync(template, image, constants.COPYFILE_FICLONE)
      mount(image, mountPoint)
      try {
        return await use({
          path: mountPoint,
          cut: () => (method === "shutdown" ? shutDown(mountPoint) : copyFileSync(image, snapshot)),
          powerUp: () => {
            unmount(mountPoint)
            if (method === "copy") renameSync(snapshot, image)
            mount(image, mountPoint)
          },
        })
      } finally {
        unmount(mountPoint)
      }
    })
  })
}

/** A mounted file system whose power can be cut. */
export interface CuttableDisk {
  path: string
  /** From now on nothing reaches the disk, and every operation fails. */
  cut(): void
  /** Mounts what is on the disk again, its journal replayed. Nothing may be open on it. */
  powerUp(): void
}

function mount(image: string, mountPoint: string): void {
  execFileSync("mount", ["-o", "loop", image, mountPoint])
}

function unmount(mountPoint: string): void {
  execFileSync("umount", [mountPoint])
}

function shutDown(path: string): void {
  const koffi = createRequire(import.meta.url)("koffi") as Koffi
  const ioctl = koffi.load(null).func("int ioctl(int fd, unsigned long request, _Inout_ uint32_t *flags)")
  const fd = openSync(path, "r")
  try {
    if (ioctl(fd, FS_IOC_SHUTDOWN, [NO_LOG_FLUSH]) !== 0)
      throw new Error(`cannot shut down ${path}: errno ${koffi.errno()}`)
  } finally {
    closeSync(fd)
  }
}
