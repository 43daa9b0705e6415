import { completeNote } from "../store/complete-note.ts"
import { saveNote } from "../store/held-locks.ts"
import type { Returned } from "../store/note.ts"
import type { ProjectionState } from "../store/projection-state.ts"
import { readableSlots, type Slot } from "../store/store.ts"
import { showKept } from "./show-earlier.ts"
import { verifySlot } from "./verify.ts"

/**
 * Shows the baseline again in place of a candidate that failed its check, and notes which one: durable when it returns,
 * so that neither a restart nor the next check of what is shown leads back to it. Gives false where the baseline is not on
 * disk, whole: then it has to be published again. An operator's pin goes before: nothing happens. The caller holds the
 * lock.
 */
export async function returnToBaseline(
  projection: ProjectionState,
  failed: Pick<Returned, "token" | "root" | "reason">,
): Promise<boolean> {
  if (projection.note.pinned) return true
  const slot = await soundBaseline(projection)
  const since = new Date(projection.clock.now()).toISOString()
  const returned = { ...failed, number: slot?.number ?? null, since }
  await saveNote(projection, { ...completeNote(projection), returned })
  if (slot === undefined) return false
  await showKept(projection, slot)
  projection.damaged = new Set()
  return true
}

/** Forgets the baseline and the candidate that failed: the record names another revision. The caller holds the lock. */
export async function endTrial(projection: ProjectionState): Promise<void> {
  const { baseline, returned } = projection.note
  if (baseline === null && returned === null) return
  await saveNote(projection, { ...completeNote(projection), baseline: null, returned: null })
}

/** The baseline's slot where every file of it is as published. */
async function soundBaseline(projection: ProjectionState): Promise<Slot | undefined> {
  const { baseline } = projection.note
  const slot = readableSlots(projection.store).find(({ number }) => number === baseline?.number)
  if (slot === undefined) return undefined
  return (await verifySlot(projection, slot, { digests: true })).length === 0 ? slot : undefined
}
