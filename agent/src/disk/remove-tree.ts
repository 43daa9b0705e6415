import { setImmediate } from "node:timers/promises"
import type { Disk } from "./disk.ts"

/** Entries removed before others get their turn. */
const BATCH = 256

/**
 * Removes a file, link or directory with all in it; links are removed, never followed, not even one that somebody
 * puts in a directory's place meanwhile: each directory is opened, and what is in it removed through that. Nothing
 * there is fine.
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
  const directory = disk.openDirectory(path)
  try {
    const place = disk.within(directory)
    for (const name of disk.list(place)) await remove(disk, `${place}/${name}`, progress, signal)
  } finally {
    disk.close(directory)
  }
  disk.removeDirectory(path)
}
