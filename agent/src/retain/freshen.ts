import { foldersOf } from "@headrace/shared/foundation/folders-of"
import { checkRealFolders } from "../disk/check-real-folders.ts"
import type { ManifestFile } from "../store/manifest.ts"
import type { ProjectionState } from "../store/projection-state.ts"
import type { Slot } from "../store/store.ts"

/**
 * To be called before an earlier revision is shown again: what it shows otherwise than `before`, and every folder, gets
 * the present as its modification time, since programs that poll (Prow's agent, nginx's open_file_cache) take nothing
 * for a change that is not later. What could not be touched is only not noticed as soon.
 */
export function freshen(
  { disk, layout, log, path }: ProjectionState,
  slot: Slot,
  before: Slot | undefined,
): void {
  const content = layout.content(slot)
  const shown = new Map(before?.manifest.files.map((file) => [file.path, file]))
  const changed = slot.manifest.files.filter((file) => !isSameInode(file, shown.get(file.path)))
  const isReached = checkRealFolders(disk, content)
  try {
    for (const file of changed) if (isReached(file.path)) disk.touch(`${content}/${file.path}`)
    for (const folder of foldersOfAll(slot)) if (isReached(`${folder}/x`)) disk.touch(`${content}/${folder}`)
    disk.touch(content)
  } catch (error) {
    log.warn({ err: error, path, number: slot.number }, "an earlier revision keeps its old times")
  }
}

/**
 * True when two entries are of one inode. The time as well, since the inode of a file that a twin has replaced can be
 * another file's by now.
 */
export function isSameInode(file: ManifestFile, other: ManifestFile | undefined): boolean {
  return file.inode === other?.inode && file.modified === other.modified && file.sha256 === other.sha256
}

function foldersOfAll({ manifest }: Slot): Set<string> {
  const folders = new Set<string>()
  for (const { path } of manifest.files) for (const folder of foldersOf(path)) folders.add(folder)
  return folders
}
