import { checkLocks } from "../store/held-locks.ts"
import { type ProjectionState, shownSlot } from "../store/projection-state.ts"
import { readableSlots, type Slot } from "../store/store.ts"
import { freshen } from "./freshen.ts"
import { notifyOfLastFlip, prepareRetiring, retireFiles } from "./retire-files.ts"

/** Shows a revision that is kept and whole, unless it is what is shown. The caller holds the lock, and has noted why. */
export async function showKept(projection: ProjectionState, slot: Slot): Promise<void> {
  const number = projection.layout.shown()
  const before = readableSlots(projection.store).find((candidate) => candidate.number === number)
  if (slot.number !== number) await showEarlier(projection, slot, before)
  projection.shown = shownSlot(slot)
}

/**
 * Shows an earlier revision again, with later times and an event for those who watch what it replaces. Durable when it
 * returns. The caller holds the lock. Throws `publish/lost-lock`, with what is shown as it was.
 */
export async function showEarlier(
  projection: ProjectionState,
  slot: Slot,
  before: Slot | undefined,
): Promise<void> {
  const { layout, durability } = projection
  freshen(projection, slot, before)
  const replaced = before && shownSlot(before)
  const after = { content: layout.content(slot), files: slot.manifest.files }
  const retiring = prepareRetiring(projection, replaced, after, durability !== "none")
  try {
    checkLocks(projection)
    await layout.show(slot, before)
  } finally {
    if (retiring) projection.notifyWatchers = () => retireFiles(projection, retiring, slot.number)
    await notifyOfLastFlip(projection, false)
  }
}
