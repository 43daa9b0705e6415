import { lookOrNothing } from "../disk/look-or-nothing.ts"
import type { ProjectionState, ShownSlot } from "../store/projection-state.ts"
import { isOwnedAs } from "../store/read-sound.ts"

const PERMISSIONS = 0o777

/**
 * Folders of a shown revision that are not as they were published: another mode or owner, so that readers may not get
 * through; another name in them than the revision has, which would count as a file of it. Files that are missing are for
 * verifySlot. A folder that cannot be examined is wrong.
 */
export function wrongFolders(projection: ProjectionState, shown: ShownSlot): string[] {
  const { disk, layout, permissions } = projection
  const content = layout.content(shown)
  const mode = (projection.folderMode ?? permissions.directory) & PERMISSIONS
  const isRight = ([folder, names]: [string, number]) => {
    const found = lookOrNothing(disk, `${content}/${folder}`)
    if (found?.kind !== "directory" || (found.mode & PERMISSIONS) !== mode) return false
    return isOwnedAs(found, permissions) && countNames(projection, `${content}/${folder}`) <= names
  }
  const folders = namesByFolder(shown.files.keys())
  // The manifest lies inside as well.
  if (layout.identity !== undefined) folders.set("", (folders.get("") ?? 0) + 1)
  return [...folders].filter((each) => !isRight(each)).map(([folder]) => folder || ".")
}

function countNames({ disk }: ProjectionState, folder: string): number {
  try {
    return disk.list(folder).length
  } catch {
    return Number.POSITIVE_INFINITY
  }
}

/** How many names each folder of a revision has, `""` for its own: of files and of folders. */
function namesByFolder(paths: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>([["", 0]])
  for (const path of paths) countName(path, counts)
  return counts
}

function countName(path: string, counts: Map<string, number>): void {
  const end = path.lastIndexOf("/")
  const folder = path.slice(0, Math.max(0, end))
  // A folder that is counted first is a name of the one above.
  if (!counts.has(folder)) countName(folder, counts)
  counts.set(folder, (counts.get(folder) ?? 0) + 1)
}
