import { setImmediate } from "node:timers/promises"
import type { Disk } from "./disk.ts"
import { errnoOf } from "./disk-error.ts"

/** Entries removed before others get their turn. */
const BATCH = 256

/**
 * Removes a file, link or directory with all in it; links are removed, never followed, not even one that somebody
 * puts in a directory's place meanwhile: each directory is opened, and what is in it removed through that. Nothing
 * there is fine. A mount point in it stays with all that is mounted there: throws `disk/busy`.
 * `signal` stops it between entries, leaving the rest for another time.
 */
export async function removeTree(disk: Disk, path: string, signal?: AbortSignal): Promise<void> {
  const progress = { removed: 0 }
  await remove(disk, path, progress, signal)
}

async function remove(
  disk: Disk,
  path: string,
  progress: { removed: number },
  signal: AbortSignal | undefined,
): Promise<void> {
  const found = disk.look(path)
  if (!found) return
  if (++progress.removed % BATCH === 0) await setImmediate()
  signal?.throwIfAborted()
  if (found.kind !== "directory") return disk.unlink(path)
  if (isRemovedEmpty(disk, path)) return
  const directory = disk.openDirectory(path)
  try {
    const place = disk.within(directory)
    for (const name of disk.list(place)) await remove(disk, `${place}/${name}`, progress, signal)
  } finally {
    disk.close(directory)
  }
  disk.removeDirectory(path)
}

/**
 * Removes a directory where it is empty. The kernel refuses a mount point (EBUSY) before it looks whether it is empty
 * (fs/namei.c, vfs_rmdir), a bind mount of the same file system too, which no device number shows.
 */
function isRemovedEmpty(disk: Disk, path: string): boolean {
  try {
    disk.removeDirectory(path)
    return true
  } catch (error) {
    if (errnoOf(error) === "EBUSY") throw error
    return false
  }
}
