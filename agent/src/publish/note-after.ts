import { type Note, raisedNote } from "../store/note.ts"
import type { ProjectionState } from "../store/projection-state.ts"
import { originsOf, type Revision } from "../store/revision.ts"

/** The note once a revision is shown as `number`: its floors raised, and what a rollout needs to go back. Pure. */
export function noteAfter(
  { note, shown }: Pick<ProjectionState, "note" | "shown">,
  revision: Revision,
  number: number,
): Note {
  const raised = raisedNote(note, originsOf(revision))
  const { trial, returns } = revision
  if (trial && shown) return { ...raised, baseline: { ...trial, number: shown.number } }
  if (!returns || !note.returned) return raised
  return { ...raised, baseline: { ...returns, number }, returned: { ...note.returned, number } }
}
