import { LONGEST_WAIT_MS } from "@headrace/shared/foundation/clock"
import type { ProjectionState } from "../store/projection-state.ts"
import { slotName, slotNumbers } from "../store/store.ts"
import { leasePlaces, trashSlot } from "../store/trash.ts"
import { lockHolders } from "./lease-holders.ts"

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
export async function prune(projection: ProjectionState, breakLeases = false): Promise<PruneResult> {
  const result: PruneResult = { removed: [], leased: [] }
  forgetFuture(projection)
  for (const number of prunable(projection)) {
    const gone = await removeSlot(projection, number, breakLeases)
    ;(gone ? result.removed : result.leased).push(number)
    if (gone) projection.store.known.delete(number)
  }
  return result
}

/** One that resists (an immutable folder) stays as if it were leased. */
async function removeSlot(
  projection: ProjectionState,
  number: number,
  breakLeases: boolean,
): Promise<boolean> {
  const { store, log, path } = projection
  try {
    return (await trashSlot(store, number, breakLeases)) || (await breakPastCap(projection, number))
  } catch (error) {
    const name = slotName(number)
    if (!store.resisting.has(name))
      log.warn({ err: error, path, number }, "an old revision resists; it stays")
    store.resisting.add(name)
    return false
  }
}

/** How long a lease keeps a revision after it was replaced, unless settings say otherwise: a reader that hangs holds one for ever. */
export const LEASE_CAP_MS = 86_400_000

async function breakPastCap(projection: ProjectionState, number: number): Promise<boolean> {
  const { clock, keep, log, path, store } = projection
  const cap = keep.lease ?? LEASE_CAP_MS
  if (cap === 0 || clock.now() - retiredAt(projection, number) < cap) return false
  const holders = leasePlaces(store, number).flatMap((place) => lockHolders(place))
  log.warn({ path, number, cap, holders }, "a lease is past its cap; the revision goes")
  return trashSlot(store, number, true)
}

/** Numbers that may go, oldest first, leases aside. */
export function prunable(projection: ProjectionState): number[] {
  const { keep, clock } = projection
  const now = clock.now()
  return superseded(projection).filter((number) => now - retiredAt(projection, number) >= keep.age)
}

/**
 * Milliseconds until another revision may be prunable: until one has its minimum age, and no longer than `lookEvery`
 * while some are leased. Undefined when none waits.
 */
export function untilPrunable(
  projection: ProjectionState,
  leased: readonly number[],
  lookEvery: number,
): number | undefined {
  const { keep, clock } = projection
  const now = clock.now()
  const young = superseded(projection).filter((number) => !leased.includes(number))
  const waits = young.map((number) => Math.max(1, retiredAt(projection, number) + keep.age - now))
  if (leased.length > 0) waits.push(lookEvery)
  return waits.length > 0 ? Math.min(...waits, LONGEST_WAIT_MS) : undefined
}

/** All but the newest N, the one that is shown (be its manifest lost), a pinned one and the baseline of a rollout. */
function superseded({ store, keep, note, layout }: ProjectionState): number[] {
  const numbers = slotNumbers(store)
  const kept = [layout.shown(), note.pinned?.number, note.baseline?.number, note.returned?.number]
  const stays = new Set([...numbers.slice(-keep.revisions), ...kept])
  return numbers.filter((number) => !stays.has(number))
}

/**
 * Counts the age of revisions that were replaced in the future from now on: the clock was ahead and was set back since.
 * They would be young until it comes there again, and fill the store up to its cap.
 */
function forgetFuture(projection: ProjectionState): void {
  const { store, clock, log, path } = projection
  const now = clock.now()
  const ahead = superseded(projection).filter((number) => notedRetirement(projection, number) > now)
  if (ahead.length === 0) return
  log.warn({ path, revisions: ahead }, "revisions were replaced in the future; their age counts from now on")
  try {
    for (const number of ahead) store.disk.touch(`${store.path}/${slotName(number)}`)
  } catch (error) {
    log.warn({ err: error, path }, "an old revision keeps its time")
  }
}

/** When a revision was replaced, never in the future: milliseconds since 1970. */
function retiredAt(projection: ProjectionState, number: number): number {
  return Math.min(notedRetirement(projection, number), projection.clock.now())
}

/**
 * What its slot says, in whole milliseconds, as clocks count: what is retired now is not of the future. A slot that cannot
 * be examined counts as replaced now, so that it stays.
 */
function notedRetirement({ store, clock }: ProjectionState, number: number): number {
  try {
    return Math.floor(store.disk.look(`${store.path}/${slotName(number)}`)?.modified ?? 0)
  } catch {
    return clock.now()
  }
}
