import { HeadraceError } from "@headrace/shared/foundation/errors"
import type { Token } from "@headrace/shared/record/record"
import { completeNote } from "../store/complete-note.ts"
import { saveNote } from "../store/held-locks.ts"
import type { ProjectionState } from "../store/projection-state.ts"
import { readableSlots, type Slot } from "../store/store.ts"
import { isLeased, leasePlaces } from "../store/trash.ts"
import { type LeaseHolder, lockHolders } from "./lease-holders.ts"
import { showKept } from "./show-earlier.ts"
import { verifySlot } from "./verify.ts"

/** A revision on disk, as `list` shows it. */
export interface ListedRevision {
  number: number
  revision: string
  token: Token
  created: string
  files: number
  bytes: number
  shown: boolean
  pinned: boolean
  leased: boolean
  /** Who holds it, as far as /proc shows; one with pid null for those that it does not. */
  holders: LeaseHolder[]
  path: string
}

/** All whole revisions, oldest first. */
export async function listRevisions(projection: ProjectionState): Promise<ListedRevision[]> {
  const { store, layout, note } = projection
  const shown = layout.shown()
  const listed: ListedRevision[] = []
  for (const slot of readableSlots(store)) {
    const { manifest, number } = slot
    listed.push({
      number,
      revision: manifest.revision,
      token: manifest.token,
      created: manifest.created,
      files: manifest.files.length,
      bytes: manifest.files.reduce((sum, file) => sum + file.size, 0),
      shown: number === shown,
      pinned: number === note.pinned?.number,
      ...(await leaseOf(projection, slot)),
      path: layout.path(slot),
    })
  }
  return listed
}

async function leaseOf(
  { store, layout }: ProjectionState,
  slot: Slot,
): Promise<Pick<ListedRevision, "leased" | "holders">> {
  const places = leasePlaces(store, slot.number, layout.content(slot))
  const leased = await isLeased(store, places)
  if (!leased) return { leased, holders: [] }
  const holders = places.flatMap((place) => lockHolders(place))
  return { leased, holders: holders.length > 0 ? holders : [{ pid: null, program: null, kind: "shared" }] }
}

/**
 * Shows an earlier revision (the one before, or the one asked for by number or id) and pins it, so that the
 * next publish does not undo it. Durable when it returns. Throws `retain/no-revision`, `retain/damaged`. The
 * caller holds the lock.
 */
export async function rollback(
  projection: ProjectionState,
  to: string | undefined,
  reason: string,
): Promise<Slot> {
  const slot = chooseSlot(projection, to)
  const damaged = await verifySlot(projection, slot, { digests: true })
  if (damaged.length > 0) {
    throw new HeadraceError(
      "retain/damaged",
      `revision ${slot.number} has ${damaged.length} damaged files, such as ${damaged[0]}`,
      {
        hint: "Choose another one (headrace-agent list).",
      },
    )
  }
  await pin(projection, slot, reason)
  await showKept(projection, slot)
  projection.layout.tidy(slot)
  return slot
}

/** Keeps a revision shown until `unpin`: publishing is refused, and it is never pruned. */
export async function pin(projection: ProjectionState, slot: Slot, reason: string): Promise<void> {
  const since = new Date(projection.clock.now()).toISOString()
  const pinned = { number: slot.number, reason, since }
  await saveNote(projection, { ...completeNote(projection), pinned })
}

/** Lets publishing continue, also of a candidate that failed its check here. Gives false when nothing was pinned. */
export async function unpin(projection: ProjectionState): Promise<boolean> {
  const { pinned, returned } = projection.note
  if (!pinned && !returned) return false
  await saveNote(projection, { ...completeNote(projection), pinned: null, returned: null })
  return true
}

/** Lets a revision be published though the guard holds it back. The caller holds the lock. */
export async function approve(projection: ProjectionState, revision: string): Promise<void> {
  await saveNote(projection, { ...completeNote(projection), approved: revision })
}

/** The slot that is shown. Throws `retain/no-revision`. */
export function shownRevision({ store, layout, path }: ProjectionState): Slot {
  const number = layout.shown()
  const slot = readableSlots(store).find((candidate) => candidate.number === number)
  if (slot) return slot
  throw new HeadraceError("retain/no-revision", `${path} shows no revision`)
}

function chooseSlot(projection: ProjectionState, to: string | undefined): Slot {
  const slots = readableSlots(projection.store).reverse()
  const shown = projection.layout.shown() ?? 0
  const chosen =
    to === undefined
      ? slots.find((slot) => slot.number < shown)
      : slots.find((slot) => String(slot.number) === to || slot.manifest.revision === to)
  if (chosen) return chosen
  const what = to === undefined ? "no revision before the one it shows" : `no revision ${to}`
  throw new HeadraceError("retain/no-revision", `${projection.path} keeps ${what}`, {
    hint: "Choose one that headrace-agent list prints.",
  })
}
