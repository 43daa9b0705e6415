import { readNote } from "../store/note.ts"
import type { ProjectionState } from "../store/projection-state.ts"
import { dropClone } from "./prestage.ts"
import { shownIn, takeShown } from "./recover.ts"

/** True when what is shown is not what we last saw there; what cannot be determined is for the next publish to report. */
export function isMoved({ layout, shown }: ProjectionState): boolean {
  try {
    return layout.shown() !== shown?.number
  } catch {
    return true
  }
}

/**
 * Takes in what another process may have done since we looked: a rollback, a pin. The caller holds the lock, and
 * calls it before it publishes or prunes, for what was old a moment ago may be what is shown now.
 */
export async function lookAgain(projection: ProjectionState): Promise<void> {
  const { store, layout, note } = projection
  const written = readNote(store, projection.log)
  if (written)
    projection.note = { ...note, pinned: written.pinned, number: Math.max(note.number, written.number) }
  if (layout.shown() === projection.shown?.number) return
  await dropClone(projection)
  await takeShown(projection, shownIn(projection), { digests: true })
}
