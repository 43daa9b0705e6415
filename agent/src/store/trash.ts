import { setImmediate } from "node:timers/promises"
import type { Handle } from "../disk/disk.ts"
import { removeTree } from "../disk/remove-tree.ts"
import { type Store, slotName, TRASH_PREFIX, uniqueName } from "./store.ts"

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
    const names = disk.look(slot)?.kind === "directory" ? disk.list(slot) : []
    for (const name of names) {
      if (disk.look(`${slot}/${name}`)?.kind !== "directory") continue
      const directory = disk.openDirectory(`${slot}/${name}`)
      held.push(directory)
      if (!(await disk.lock(directory, "exclusive")) && !breakLease) return false
    }
    disk.rename(slot, `${store.path}/${uniqueName(`${TRASH_PREFIX}${slotName(number)}-`)}`)
    return true
  } finally {
    for (const directory of held) disk.close(directory)
  }
}

/** Removes what trashSlot took out of sight. */
export async function emptyTrash(store: Store, signal?: AbortSignal): Promise<void> {
  for (const name of store.disk.list(store.path)) {
    if (!name.startsWith(TRASH_PREFIX)) continue
    await setImmediate()
    await removeTree(store.disk, `${store.path}/${name}`, signal)
  }
}

/** True when a reader holds a lease on a slot's directory. */
export async function isLeased(store: Store, directory: string): Promise<boolean> {
  const handle = store.disk.openDirectory(directory)
  try {
    return !(await store.disk.lock(handle, "exclusive"))
  } finally {
    store.disk.close(handle)
  }
}
