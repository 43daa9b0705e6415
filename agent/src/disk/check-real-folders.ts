import { foldersOf } from "@headrace/shared/foundation/folders-of"
import type { Disk } from "./disk.ts"

/**
 * Tells of paths beneath a directory whether each folder on the way is one, and no link that leads elsewhere.
 * Every folder is looked at once.
 */
export function checkRealFolders(disk: Disk, directory: string): (path: string) => boolean {
  const known = new Map<string, boolean>()
  return (path) =>
    foldersOf(path).every((folder) => {
      const isFolder = known.get(folder) ?? disk.look(`${directory}/${folder}`)?.kind === "directory"
      known.set(folder, isFolder)
      return isFolder
    })
}
