import type { Disk, Handle } from "../disk/disk.ts"
import { lookOrNothing } from "../disk/look-or-nothing.ts"
import { verifySlot } from "../retain/verify.ts"
import type { Layout } from "../store/layout.ts"
import type { ProjectionState, ShownSlot } from "../store/projection-state.ts"
import { readSound } from "../store/read-sound.ts"
import { readSlot } from "../store/store.ts"
import { wrongFolders } from "./wrong-folders.ts"

/**
 * What has become of a projection since it was published: `right`; `moved`, another process shows something else;
 * `damaged`, parts of what is shown are not what was published; `elsewhere`, its path leads to other folders than
 * those that it was opened in: they were moved, removed, or mounted over.
 */
export type Condition = "right" | "moved" | "damaged" | "elsewhere"

/**
 * Examines what readers see now. It takes no lock and changes nothing on disk; files that differ, or that cannot be
 * examined, are remembered as damaged, for the next publish. Contents are read only where size, mode, owner, inode or
 * time differ.
 */
export async function examine(projection: ProjectionState): Promise<Condition> {
  if (!isInPlace(projection)) return "elsewhere"
  const { layout, shown } = projection
  if (isMoved(projection)) return isShownElsewhere(projection) ? "moved" : "damaged"
  if (shown === undefined) return "right"
  if (!hasNames(layout, shown)) projection.lacksNames = true
  // A file that was only touched is read once, and known by its new time then.
  const wrong = await verifySlot(projection, shown, {
    digests: false,
    files: [...shown.files.values()],
    onKnown: (file) => shown.files.set(file.path, file),
  })
  wrong.push(...rewritten(projection, shown), ...wrongFolders(projection, shown))
  // Meanwhile another revision may have been published.
  if (projection.shown !== shown) return "right"
  for (const path of wrong) projection.damaged.add(path)
  return projection.damaged.size > 0 || projection.lacksNames ? "damaged" : "right"
}

/** Bytes of content read in one look. */
const READ_AT_ONCE = 8 * 1024 * 1024

/**
 * Files whose content was changed by the user that owns them, who can set their modification time back: of those that
 * changed in any way since they were read last (linking counts), some are read at each look.
 */
function rewritten({ disk, layout, permissions }: ProjectionState, shown: ShownSlot): string[] {
  const { uid } = permissions
  if (uid === undefined || uid === null || uid === process.geteuid?.()) return []
  const content = layout.content(shown)
  const wrong: string[] = []
  let bytes = 0
  for (const file of shown.files.values()) {
    const changed = lookOrNothing(disk, `${content}/${file.path}`)?.changed
    if (changed === undefined || shown.readAt.get(file.path) === changed) continue
    bytes += file.size
    if (bytes > READ_AT_ONCE && bytes > file.size) break
    if (readSound(disk, `${content}/${file.path}`, file.sha256) === undefined) wrong.push(file.path)
    else shown.readAt.set(file.path, changed)
  }
  return wrong
}

/** True when the names that readers use are there; what cannot be determined is not. */
function hasNames(layout: Layout, shown: ShownSlot): boolean {
  try {
    return layout.isWhole(shown)
  } catch {
    return false
  }
}

/** True when the paths of a projection lead to the folders that are open. */
export function isInPlace(projection: ProjectionState): boolean {
  const { disk, store } = projection
  const inStore = [store.folder, store.work.folder]
  return isFolderInPlace(projection) && inStore.every((folder) => isStillAt(disk, folder))
}

/** True when the folder that the projection is shown in is the one that is open. */
export function isFolderInPlace({ disk, layout }: ProjectionState): boolean {
  return layout.folders.every((folder) => isStillAt(disk, folder))
}

function isStillAt(disk: Disk, folder: Handle): boolean {
  try {
    const there = disk.look(`${folder.path}/.`)
    const open = disk.look(`${disk.within(folder)}/.`)
    return there !== undefined && there.inode === open?.inode && there.device === open.device
  } catch {
    return false
  }
}

/** True when what is shown is not what we last saw there; what cannot be determined is for the next publish to report. */
export function isMoved(projection: ProjectionState): boolean {
  const { layout, shown } = projection
  try {
    return layout.shown() !== shown?.number || !isThere(projection)
  } catch {
    return true
  }
}

/** True when the slot of what is shown has its manifest and its directory. */
export function isThere({ store, layout, shown, disk }: ProjectionState): boolean {
  if (shown === undefined) return true
  return readSlot(store, shown.number) !== undefined && disk.look(layout.content(shown))?.kind === "directory"
}

/** True when another revision is shown, whole as far as its names show. */
function isShownElsewhere({ layout, shown, store }: ProjectionState): boolean {
  try {
    const number = layout.shown()
    return number !== undefined && number !== shown?.number && readSlot(store, number) !== undefined
  } catch {
    return false
  }
}
