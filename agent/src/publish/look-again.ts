import { HeadraceError } from "@headrace/shared/foundation/errors"
import { readNote } from "../store/note.ts"
import type { ProjectionState } from "../store/projection-state.ts"
import { isInPlace, isMoved } from "./examine.ts"
import { dropClone } from "./prestage.ts"
import { shownIn, takeShown } from "./recover.ts"
import { removeUsurpers } from "./usurpers.ts"

/**
 * Takes in what another process may have done since we looked: a rollback, a pin, damage. The caller holds the lock,
 * and calls it before it publishes or prunes, for what was old a moment ago may be what is shown now. Throws
 * `publish/moved-away` when the path leads elsewhere by now.
 */
export async function lookAgain(projection: ProjectionState): Promise<void> {
  checkPlace(projection)
  const { store, note } = projection
  const written = readNote(store, projection.log)
  if (written) {
    const { pinned, returned } = written
    projection.note = { ...note, pinned, returned, number: Math.max(note.number, written.number) }
  }
  // A clone shares the inodes of what is damaged.
  if (projection.damaged.size > 0) await dropClone(projection)
  if (projection.shown) await removeUsurpers(projection, projection.shown)
  if (!isMoved(projection)) return
  await dropClone(projection)
  await takeShown(projection, shownIn(projection), { digests: true })
}

/** Throws `publish/moved-away` when what is published here would not be seen at the projection's path. */
export function checkPlace(projection: ProjectionState): void {
  if (isInPlace(projection)) return
  throw new HeadraceError(
    "publish/moved-away",
    `${projection.path} leads to another folder than the one that was opened: it was moved, removed or mounted over`,
    { hint: "Leave it as it is: the next attempt opens the folder that is there now." },
  )
}
