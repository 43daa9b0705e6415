import { type Note, raisedNote } from "./note.ts"
import type { ProjectionState } from "./projection-state.ts"
import { readableSlots } from "./store.ts"

/**
 * The note with the floors that the revisions up to the largest number ever shown have as well (a store of before
 * there was a note at each publish has only those), and with that number. Whatever of it is damaged, the rest holds.
 */
export function completeNote({
  store,
  layout,
  note,
}: Pick<ProjectionState, "store" | "layout" | "note">): Note {
  const last = Math.max(layout.shown() ?? 0, note.number)
  const published = readableSlots(store).filter(({ number }) => number <= last)
  const told = published.reduce((found, { manifest }) => raisedNote(found, manifest.origins), note)
  // A note is written with each publish, so what it calls the latest is; without one the largest number says it.
  return { ...(note.latest.length === 0 ? told : raisedNote(told, note.latest)), number: last }
}
