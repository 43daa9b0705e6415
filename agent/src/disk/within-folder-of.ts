import { foldersOf } from "@headrace/shared/foundation/folders-of"
import type { Disk, Handle } from "./disk.ts"
import { errnoOf } from "./disk-error.ts"

/** Something else than a folder is on the way: nothing, a file, or a link, which is not followed. */
const NO_FOLDER = ["ENOENT", "ENOTDIR", "ELOOP"]

/**
 * Runs `action` with the folder of a path beneath a directory, opened step by step, so that no link on the way is
 * followed, whenever it is put there. Gives undefined where the folder is not there.
 */
export function withinFolderOf<T>(
  disk: Disk,
  directory: string,
  path: string,
  action: (folder: string) => T,
): T | undefined {
  const open: Handle[] = []
  try {
    let folder = enter(disk, directory, open)
    for (const above of foldersOf(path)) {
      folder = enter(disk, `${folder}/${above.slice(above.lastIndexOf("/") + 1)}`, open)
    }
    return action(folder)
  } catch (error) {
    if (NO_FOLDER.includes(errnoOf(error) ?? "")) return undefined
    throw error
  } finally {
    for (const handle of open) disk.close(handle)
  }
}

function enter(disk: Disk, folder: string, open: Handle[]): string {
  const handle = disk.openDirectory(folder)
  open.push(handle)
  return disk.within(handle)
}
