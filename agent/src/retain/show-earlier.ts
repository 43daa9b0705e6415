import { checkLocks } from "../store/held-locks.ts"
import { type ProjectionState, shownSlot } from "../store/projection-state.ts"
import type { Slot } from "../store/store.ts"
import { freshen } from "./freshen.ts"
import { prepareRetiring, retireFiles } from "./retire-files.ts"

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
    if (retiring) await retireFiles(projection, retiring, slot.number)
  }
}
