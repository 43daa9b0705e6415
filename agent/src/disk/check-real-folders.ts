import { foldersOf } from "@headrace/shared/foundation/folders-of"
import type { Disk } from "./disk.ts"
import { lookOrNothing } from "./look-or-nothing.ts"

/**
 * Tests of paths beneath a directory whether each folder on the way is one, and no link that leads elsewhere. A folder
 * that cannot be examined is none. Every folder is examined once.
 */
export function checkRealFolders(disk: Disk, directory: string): (path: string) => boolean {
  const known = new Map<string, boolean>()
  return (path) =>
    foldersOf(path).every((folder) => {
      const isFolder =
        known.get(folder) ?? lookOrNothing(disk, `${directory}/${folder}`)?.kind === "directory"
      known.set(folder, isFolder)
      return isFolder
    })
}
