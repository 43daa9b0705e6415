import type { Token } from "@headrace/shared/record/record"
import type { ProjectionState } from "./projection-state.ts"
import { isOlder } from "./revision.ts"
import { readableSlots } from "./store.ts"

/**
 * The largest token that was published: by the note, and by the revisions up to the largest number ever shown
 * (a store of before there was a note at each publish has only those). Whatever of it is damaged, the rest holds.
 */
export function tokenFloor({
  store,
  layout,
  note,
}: Pick<ProjectionState, "store" | "layout" | "note">): Token {
  const last = Math.max(layout.shown() ?? 0, note.number)
  let floor = note.token
  for (const { number, manifest } of readableSlots(store)) {
    if (number <= last && isOlder(floor, manifest.token)) floor = manifest.token
  }
  return floor
}
