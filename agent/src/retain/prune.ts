import type { Projection } from "../publish/projection.ts"
import { slotName, slotNumbers } from "../publish/store.ts"
import { trashSlot } from "./trash.ts"

/** What a look over the store gave. */
export interface PruneResult {
  removed: number[]
  /** Would have gone, but a reader holds them. */
  leased: number[]
}

/**
 * Takes old revisions out of the store: all but the newest N, those retired less than the minimum age ago,
 * the one that is shown, a pinned one and leased ones. The caller holds the lock, and the flip to what is shown
 * is durable (else a power cut could leave a link to nothing).
 */
export async function prune(projection: Projection, breakLeases = false): Promise<PruneResult> {
  const result: PruneResult = { removed: [], leased: [] }
  for (const number of prunable(projection)) {
    const gone = await trashSlot(projection.store, number, breakLeases)
    ;(gone ? result.removed : result.leased).push(number)
    if (gone) projection.store.known.delete(number)
  }
  return result
}

/** Numbers that may go, oldest first, leases aside. */
export function prunable(projection: Projection): number[] {
  const { store, keep, note, shown, clock } = projection
  const numbers = slotNumbers(store)
  const newest = new Set(numbers.slice(-keep.revisions))
  return numbers.filter((number) => {
    if (number === shown?.number || number === note.pinned?.number || newest.has(number)) return false
    const retired = store.disk.look(`${store.path}/${slotName(number)}`)?.modified ?? 0
    // Its fraction of a millisecond, which the clock does not have, would make what is retired now younger than 0.
    return clock.now() - Math.floor(retired) >= keep.age
  })
}
