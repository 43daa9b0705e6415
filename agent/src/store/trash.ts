import { setImmediate } from "node:timers/promises"
import type { Log } from "@headrace/shared/observe/log"
import type { Disk, Handle } from "../disk/disk.ts"
import { errnoOf } from "../disk/disk-error.ts"
import { removeTree } from "../disk/remove-tree.ts"
import { type Store, slotName, TRASH_PREFIX, uniqueName } from "./store.ts"

/** What a reader may hold an flock on: a revision's directory, or its manifest where a stranger has locked that. */
export function leasePlaces(store: Store, number: number, directory?: string): string[] {
  const { disk } = store
  const slot = `${store.path}/${slotName(number)}`
  const names = disk.look(slot)?.kind === "directory" ? disk.list(slot) : []
  const places = new Set(names.map((name) => `${slot}/${name}`))
  if (directory !== undefined && disk.look(directory)) places.add(directory)
  return [...places].filter((place) => ["directory", "file"].includes(disk.look(place)?.kind ?? ""))
}

/**
 * Takes a slot out of sight by one rename, unless a reader holds a lease (flock) on its directory. The lock is
 * ours while it is renamed, so that a reader who comes late finds another inode at the path and looks again.
 * Gives false when it is leased. The removal itself is emptyTrash's.
 */
export async function trashSlot(store: Store, number: number, breakLease = false): Promise<boolean> {
  const { disk } = store
  const slot = `${store.path}/${slotName(number)}`
  const held: Handle[] = []
  try {
    for (const place of leasePlaces(store, number)) {
      const handle = openForLock(disk, place)
      held.push(handle)
      if (!(await disk.lock(handle, "exclusive")) && !breakLease) return false
    }
    await moveAway(store, slot, `${store.work.path}/${uniqueName(`${TRASH_PREFIX}${slotName(number)}-`)}`)
    return true
  } finally {
    for (const handle of held) disk.close(handle)
  }
}

/** Takes out of sight what is at a place of ours and is not ours. The removal itself is emptyTrash's. */
export async function trashPlace(store: Store, place: string): Promise<void> {
  await moveAway(store, place, `${store.work.path}/${uniqueName(TRASH_PREFIX)}`)
}

/**
 * overlayfs renames no folder of a lower layer, and no rename crosses file systems (EXDEV): such a one is removed where it
 * is.
 */
async function moveAway({ disk }: Store, place: string, trash: string): Promise<void> {
  try {
    disk.rename(place, trash)
  } catch (error) {
    if (errnoOf(error) !== "EXDEV") throw error
    await removeTree(disk, place)
  }
}

function openForLock(disk: Disk, place: string): Handle {
  return disk.look(place)?.kind === "directory" ? disk.openDirectory(place) : disk.openFile(place)
}

/**
 * Removes what trashSlot took out of sight. What resists (an immutable file) stays, with a warning at its first time, and
 * keeps nothing else from being removed.
 */
export async function emptyTrash(
  { store, log, path }: { store: Store; log: Log; path: string },
  signal?: AbortSignal,
): Promise<void> {
  for (const name of store.disk.list(store.work.path)) {
    if (!name.startsWith(TRASH_PREFIX)) continue
    await setImmediate()
    try {
      await removeTree(store.disk, `${store.work.path}/${name}`, signal)
    } catch (error) {
      signal?.throwIfAborted()
      if (!store.resisting.has(name))
        log.warn({ err: error, path, name }, "a removed revision resists; it stays")
      store.resisting.add(name)
    }
  }
}

/** True when a reader holds a lease on one of these places. */
export async function isLeased(store: Store, places: readonly string[]): Promise<boolean> {
  for (const place of places) {
    const handle = openForLock(store.disk, place)
    try {
      if (!(await store.disk.lock(handle, "exclusive"))) return true
    } finally {
      store.disk.close(handle)
    }
  }
  return false
}
