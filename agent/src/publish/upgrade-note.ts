import { type LockOptions, takeLock } from "../disk/lock-projection.ts"
import { lookOrNothing } from "../disk/look-or-nothing.ts"
import { completeNote } from "../store/complete-note.ts"
import { type Note, readNote, readNoteFormat, writeNote } from "../store/note.ts"
import type { ProjectionState } from "../store/projection-state.ts"
import { LOCK_NAME, slotNumbers } from "../store/store.ts"

/**
 * Reads the note of a store, and gives a store of format 1 a note of this format: with it, programs that know only
 * format 1 stop with `publish/newer-format`. Such a program that publishes there now holds the lock of format 1, which
 * lay inside of the store. The caller holds both locks.
 */
export async function upgradeNote(projection: ProjectionState, options: LockOptions): Promise<Note> {
  const { disk, store, durability } = projection
  const note = readNote(store, projection.log) ?? projection.note
  const lock = `${store.path}/${LOCK_NAME}`
  const isOld =
    readNoteFormat(store) === 1 || (readNoteFormat(store) === undefined && slotNumbers(store).length > 0)
  if (!isOld) {
    // An old program makes it before it looks at the note.
    if (lookOrNothing(disk, lock)?.kind === "file") disk.unlink(lock)
    return note
  }
  const before = disk.look(lock)?.kind === "file" ? disk.openLockFile(lock) : undefined
  try {
    if (before) await takeLock(disk, before, store.folder, options)
    const upgraded = completeNote({ ...projection, note })
    await writeNote(store, upgraded, durability)
    if (before) disk.unlink(lock)
    return upgraded
  } finally {
    if (before) disk.close(before)
  }
}
