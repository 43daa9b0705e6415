import { closeSync, mkdirSync, openSync, rmSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import { withFolder } from "../../harness/with-folder.ts"
import { copyImage, type FileSystem, makeImage, mountImage, unmount } from "./file-systems.ts"

/** What we use of koffi, which is the agent's dependency. */
interface Koffi {
  load(library: null): { func(signature: string): (...values: unknown[]) => number }
  errno(): number
}

/** XFS_IOC_GOINGDOWN, which ext4, xfs and f2fs share; xfstests cuts the power with it. btrfs has none. */
const FS_IOC_SHUTDOWN = 0x8004587d
/** Neither data nor journal is flushed. */
const NO_LOG_FLUSH = 2

/** A mounted file system whose power can be cut. */
export interface CuttableDisk {
  path: string
  /** From now on nothing reaches the disk, and every operation fails. */
  cut(): void
  /** Mounts what is on the disk again, its journal replayed. Nothing may be open on it. */
  powerUp(): void
}

/** Makes a file system once; `action` gets a function that runs its own action on a fresh copy, again and again. */
export async function withShutdown<T>(
  type: FileSystem,
  action: (withCopy: <R>(use: (disk: CuttableDisk) => Promise<R>) => Promise<R>) => Promise<T>,
): Promise<T> {
  return await withFolder(async (folder) => {
    const [template, mountPoint] = [join(folder, "template"), join(folder, "mnt")]
    let copies = 0
    // A file of its own: the loop device of an earlier copy may still have that one's disk in its cache.
    function copyOf(disk: string): string {
      const image = join(folder, `image-${++copies}`)
      copyImage(disk, image)
      return image
    }
    makeImage(type, template)
    mkdirSync(mountPoint)
    return await action(async (use) => {
      let image = copyOf(template)
      mountImage(image, mountPoint)
      try {
        return await use({
          path: mountPoint,
          cut: () => shutDown(mountPoint),
          powerUp: () => {
            unmount(mountPoint)
            const before = image
            image = copyOf(before)
            rmSync(before)
            mountImage(image, mountPoint)
          },
        })
      } finally {
        unmount(mountPoint)
        rmSync(image)
      }
    })
  })
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
