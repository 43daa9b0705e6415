import { hasCode } from "@headrace/shared/foundation/errors"
import { lookOrNothing } from "../disk/look-or-nothing.ts"
import { removeTree } from "../disk/remove-tree.ts"
import { showEarlier } from "../retain/show-earlier.ts"
import { verifySlot } from "../retain/verify.ts"
import { completeNote } from "../store/complete-note.ts"
import { syncFolder } from "../store/make-durable.ts"
import { isAtFloor } from "../store/origin.ts"
import { type ProjectionState, shownSlot } from "../store/projection-state.ts"
import {
  isUnreadable,
  LINK_PREFIX,
  NOTE_PREFIX,
  readableSlots,
  type Slot,
  STAGING_PREFIX,
  slotName,
  slotNumbers,
  TWINS_PREFIX,
} from "../store/store.ts"
import { emptyTrash, trashSlot } from "../store/trash.ts"

const LEFTOVERS = [STAGING_PREFIX, TWINS_PREFIX, LINK_PREFIX, NOTE_PREFIX]

export interface RecoverOptions {
  /** Check contents by digest; otherwise by inode and time where those are as the manifest says. */
  digests: boolean
}

/**
 * Brings a projection to a known state after whatever happened: leftovers of any crash go, what is shown is
 * read and verified, a dangling link is set to the newest whole revision. Nothing that is published
 * changes. The caller holds the lock.
 */
export async function recover(projection: ProjectionState, options: RecoverOptions): Promise<void> {
  await removeLeftovers(projection)
  // A process that died between flip and fsync left a flip that may not be durable; before anything is pruned it is.
  await syncFolder(projection.disk, projection.store.folder, projection.durability)
  await projection.layout.sync()
  projection.layout.settle()
  const found = await followPin(projection, shownIn(projection))
  const slot = found ?? (isShowing(projection) ? undefined : await repair(projection))
  await takeShown(projection, slot, options)
  await removeUnpublished(projection)
  await emptyTrash(projection)
  if (!slot) return
  putNamesBack(projection, slot)
}

/** Names that the disk does not give now are damage: the next publish puts them back. What is not ours is an error. */
function putNamesBack(projection: ProjectionState, slot: Slot): void {
  try {
    projection.layout.mend(slot)
    projection.layout.tidy(slot)
  } catch (error) {
    if (!hasCode(error, "disk/")) throw error
    projection.lacksNames = true
    projection.log.warn({ err: error, path: projection.path }, "names of what is shown cannot be examined")
  }
}

/** Takes a slot as the one that is shown, and looks what of it is damaged. */
export async function takeShown(
  projection: ProjectionState,
  slot: Slot | undefined,
  options: RecoverOptions,
): Promise<void> {
  projection.shown = slot && shownSlot(slot)
  projection.damaged = new Set(slot ? await verifySlot(projection, slot, options) : [])
  projection.verifiedAt = performance.now()
  projection.note = completeNote(projection)
  if (projection.damaged.size === 0) return
  projection.log.warn(
    { path: projection.path, files: [...projection.damaged].slice(0, 10), count: projection.damaged.size },
    "published files are not what was published; the next publish rewrites them",
  )
}

/** The slot that is shown, when its directory and manifest are there. */
export function shownIn(projection: ProjectionState): Slot | undefined {
  const number = projection.layout.shown()
  if (number === undefined) return undefined
  const slot = readableSlots(projection.store).find((candidate) => candidate.number === number)
  const isHere = slot && lookOrNothing(projection.disk, projection.layout.content(slot))?.kind === "directory"
  return isHere ? slot : undefined
}

/**
 * True when readers see a directory whose manifest is lost: what it holds is not known, but it is what was
 * published last, and stays until the next publish has rewritten all of it. What the disk does not give now counts as
 * there: nothing else is shown in its place.
 */
function isShowing({ layout, store, disk, log, path }: ProjectionState): boolean {
  const number = layout.shown()
  if (number === undefined) return false
  const slot = `${store.path}/${slotName(number)}`
  try {
    if (disk.look(slot)?.kind !== "directory") return false
    const isHere = layout.identity === undefined
    if (isHere && !disk.list(slot).some((name) => disk.look(`${slot}/${name}`)?.kind === "directory"))
      return false
    log.warn({ path, number }, "the manifest of what is shown is lost; the next publish rewrites everything")
  } catch (error) {
    log.warn({ err: error, path, number }, "what is shown cannot be examined; the next publish rewrites it")
  }
  return true
}

async function removeLeftovers({ store, disk, log, path }: ProjectionState): Promise<void> {
  for (const folder of new Set([store.path, store.work.path])) {
    for (const name of disk.list(folder)) {
      if (!LEFTOVERS.some((prefix) => name.startsWith(prefix))) continue
      await unlessItResists({ log, path, name }, async () => {
        await removeTree(disk, `${folder}/${name}`)
        if (name.startsWith(STAGING_PREFIX))
          log.info({ path, staging: name }, "removed what an interrupted publish had left")
      })
    }
  }
}

/** An immutable file, or one of a read-only layer below: in nobody's way, so no reason not to open a projection. */
async function unlessItResists(
  { log, ...fields }: Pick<ProjectionState, "log" | "path"> & { name: string },
  remove: () => Promise<void>,
): Promise<void> {
  try {
    await remove()
  } catch (error) {
    log.warn({ err: error, ...fields }, "a leftover cannot be removed; it stays")
  }
}

/** A slot above the largest number ever shown was about to be published; one without a manifest is incomplete. */
async function removeUnpublished(projection: ProjectionState): Promise<void> {
  const { store, note, layout, log, path } = projection
  const whole = new Set(readableSlots(store).map((slot) => slot.number))
  for (const number of slotNumbers(store)) {
    if (number === layout.shown() || (whole.has(number) && number <= note.number)) continue
    if (isUnreadable(store, number)) continue
    await unlessItResists({ log, path, name: slotName(number) }, async () => {
      const gone = await trashSlot(store, number)
      log.info({ path, number, gone }, "found a revision that was never published, or only a part of one")
    })
  }
}

/** A rollback, or a return to the baseline, is noted first: ends one that was interrupted before it moved the link. */
async function followPin(projection: ProjectionState, slot: Slot | undefined): Promise<Slot | undefined> {
  const { note, store } = projection
  const number = keptNumber(note)
  if (!slot || number === undefined || number === slot.number) return slot
  const pinned = readableSlots(store).find((candidate) => candidate.number === number)
  if (!pinned) return slot
  await showEarlier(projection, pinned, slot)
  return pinned
}

/**
 * Leads a lost or dangling link to the revision that is pinned, otherwise to the newest that is whole and not older than
 * what was shown.
 */
async function repair(projection: ProjectionState): Promise<Slot | undefined> {
  const { note, log, path } = projection
  for (const slot of repairCandidates(projection)) {
    if ((await verifySlot(projection, slot, { digests: true })).length > 0) continue
    await showEarlier(projection, slot, undefined)
    log.warn(
      { path, number: slot.number, revision: slot.manifest.revision },
      "nothing was shown; showing the newest whole revision",
    )
    return slot
  }
  if (note.latest.length > 0) {
    log.error(
      { path, token: note.token, pinned: note.pinned?.number },
      "what was shown is lost, and no revision may take its place; the next publish shows again",
    )
  }
  return undefined
}

/** The number that is to be shown, be it an operator's word or a return; undefined: the newest. */
function keptNumber({ pinned, returned }: ProjectionState["note"]): number | undefined {
  return pinned?.number ?? returned?.number ?? undefined
}

function repairCandidates({ store, note }: ProjectionState): Slot[] {
  const slots = readableSlots(store).reverse()
  const number = keptNumber(note)
  if (number !== undefined) return slots.filter((slot) => slot.number === number)
  return slots.filter((slot) => isAtFloor(note, slot.manifest.origins))
}
