import { type HeldLock, type LockOptions, withStoreLock } from "../disk/lock-projection.ts"
import { type Note, writeNote } from "./note.ts"
import type { ProjectionState } from "./projection-state.ts"

/**
 * Runs `action` alone among all processes that change a projection. Its lock is among those that are checked before
 * anything is shown or noted. Throws `publish/locked` when another process keeps it.
 */
export async function changeAlone<T>(
  projection: ProjectionState,
  options: LockOptions,
  action: () => Promise<T>,
): Promise<T> {
  const { disk, store, locks } = projection
  return await withStoreLock(disk, store.folder, options, async (lock) => {
    locks.add(lock)
    try {
      return await action()
    } finally {
      locks.delete(lock)
    }
  })
}

/**
 * Throws `publish/lost-lock` when the file of a lock that this process holds was removed: another process can have the
 * lock by now (docs/decisions/050). Call it right before a change that readers or other processes see.
 */
export function checkLocks({ locks }: { locks: Iterable<HeldLock> }): void {
  for (const lock of locks) lock.check()
}

/** Replaces a projection's note, durably. Throws `publish/lost-lock`. */
export async function saveNote(projection: ProjectionState, note: Note): Promise<void> {
  checkLocks(projection)
  await writeNote(projection.store, note, projection.durability)
  projection.note = note
}
