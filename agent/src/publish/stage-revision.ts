import { HeadraceError } from "@headrace/shared/foundation/errors"
import { checkRealFolders } from "../disk/check-real-folders.ts"
import { lookOrNothing } from "../disk/look-or-nothing.ts"
import { removeTree } from "../disk/remove-tree.ts"
import { prepareRetiring, type Retiring } from "../retain/retire-files.ts"
import { dropTwins } from "../retain/twins.ts"
import { chooseDurability, makeDurable, syncFolder } from "../store/make-durable.ts"
import { MANIFEST_FORMAT, type Manifest, type ManifestFile, manifestBytes } from "../store/manifest.ts"
import { MANIFEST_NAME } from "../store/manifest-name.ts"
import { draftNote, type NoteDraft, placeNote } from "../store/note.ts"
import { isApproved } from "../store/origin.ts"
import type { ProjectionState } from "../store/projection-state.ts"
import { readSound } from "../store/read-sound.ts"
import { originsOf, type Revision, type RevisionFile } from "../store/revision.ts"
import {
  discardStaging,
  openStaging,
  removeEmptyFolders,
  removeStaged,
  STAGED_CONTENT,
  type Staging,
} from "../store/staging.ts"
import { type Slot, slotName, slotNumbers } from "../store/store.ts"
import { trashSlot } from "../store/trash.ts"
import { linkFile, linkUnchanged } from "./link-unchanged.ts"
import { noteAfter } from "./note-after.ts"
import { type StagePlan, touchedFolders } from "./plan-stage.ts"
import { takeClone } from "./prestage.ts"
import { finishFile, writeBeside, writeChanged } from "./write-changed.ts"

const SLOT_MODE = 0o755
/** Milliseconds for which a look at every file need not be taken again. */
const VERIFIED_FOR = 1000

export interface StagedSlot extends Slot {
  /** Files that were written; the others were linked. */
  written: number
  /** What showing it retires. */
  retiring: Retiring | undefined
}

/**
 * Makes a revision's directory and manifest, durable, under its number, with its token noted as the floor of later
 * ones. Nothing shows it yet. An error gives all of it up again.
 */
export async function stageRevision(
  projection: ProjectionState,
  revision: Revision,
  plan: StagePlan,
  signal: AbortSignal | undefined,
): Promise<StagedSlot> {
  const { store, disk, permissions } = projection
  const number = nextNumber(projection)
  const clone = await takeClone(projection)
  const folders = touchedFolders(plan, clone !== undefined).size
  const durability = chooseDurability(projection.durability, plan.write.length + plan.remove.length + folders)
  const staging = clone ?? (await openStaging(store, permissions))
  let draft: NoteDraft | undefined
  let retiring: Retiring | undefined
  projection.folderMode = disk.look(staging.content)?.mode
  try {
    if (!clone) await linkKept(projection, staging, plan)
    const written = await applyPlan(projection, staging, revision, plan, {
      signal,
      sync: durability === "fsync",
    })
    const manifest = manifestOf(projection, staging, revision, number)
    const sync = durability === "fsync"
    writeBeside(staging, MANIFEST_NAME, manifestBytes(manifest), { permissions, sync, isOwn: true })
    nameItself(projection, staging, manifest, sync)
    disk.rename(staging.content, `${staging.path}/${revision.id}`)
    staging.content = `${staging.path}/${revision.id}`
    disk.setMode(staging.folder, SLOT_MODE)
    // The floor under later tokens must not rest on the revision itself, which may get lost. Noted before it shows,
    // since then the one sync of the store's folder covers both; a token whose flip fails counts as well.
    const note = {
      ...noteAfter(projection, revision, number),
      approved: stillApproved(projection, revision),
    }
    draft = draftNote(store, note)
    finishFile(staging, draft.file, sync)
    // Before the one barrier, which covers the twins as well.
    const after = { content: staging.content, files: manifest.files }
    retiring = prepareRetiring(projection, projection.shown, after, sync)
    await makeDurable(staging, durability)
    await revision.approve?.(`${store.work.folder.path}/${staging.name}/${revision.id}`)
    signal?.throwIfAborted()
    placeNote(store, draft)
    projection.note = note
    draft = undefined
    disk.rename(`${store.work.path}/${staging.name}`, `${store.path}/${slotName(number)}`)
    await syncFolder(disk, store.folder, durability)
    closeStaged(projection, staging)
    for (const file of plan.write) projection.usedBytes += file.size
    return { number, manifest, written, retiring }
  } catch (error) {
    await abandon(projection, staging, number, draft)
    if (retiring) await dropTwins(projection, retiring.twins)
    throw error
  }
}

/** An approval counts once, and is not lost by a revision that it is not of. */
function stillApproved({ note }: ProjectionState, revision: Revision): string | null {
  const revisions = originsOf(revision).map((origin) => origin.revision)
  return isApproved(note.approved, revision.id, ...revisions) ? null : note.approved
}

/** Once only, whatever it says: it is closed then (man 2 close), and its number may be another file's. */
function closeStaged({ disk, log, path }: ProjectionState, staging: Staging): void {
  try {
    disk.close(staging.folder)
  } catch (error) {
    // Nothing was written through it, and what it holds is durable.
    log.warn({ err: error, path }, "a staged folder could not be closed")
  }
}

/** What cannot be removed now is a leftover for the next recovery. */
async function abandon(
  { store, log }: ProjectionState,
  staging: Staging,
  number: number,
  draft: NoteDraft | undefined,
): Promise<void> {
  try {
    await discardStaging(staging)
    // When only the last sync failed it had its number already.
    if (slotNumbers(store).includes(number)) await trashSlot(store, number)
    if (draft) await removeTree(store.disk, draft.path)
  } catch (error) {
    log.warn({ err: error, staging: staging.name }, "a staged revision was left behind")
  }
}

/** What a reader finds inside: a copy where the content is given to another user, who may not be let read the manifest. */
function nameItself(
  { layout, disk, permissions }: ProjectionState,
  staging: Staging,
  manifest: Manifest,
  sync: boolean,
): void {
  if (layout.identity === undefined) return
  const { uid = process.geteuid?.() } = permissions
  if (uid === process.geteuid?.()) {
    disk.link(`${staging.path}/${MANIFEST_NAME}`, `${staging.content}/${layout.identity}`)
  } else {
    const name = `${STAGED_CONTENT}/${layout.identity}`
    writeBeside(staging, name, manifestBytes(manifest), { permissions, sync, isOwn: false })
  }
  staging.unsynced.add("")
}

async function linkKept(projection: ProjectionState, staging: Staging, plan: StagePlan): Promise<void> {
  const { shown, layout, permissions, verifiedAt } = projection
  if (!shown) return
  // A program that publishes once has looked at every file when it opened the projection, a moment ago.
  const verified = performance.now() - verifiedAt < VERIFIED_FOR
  await linkUnchanged(staging, layout.content(shown), plan.keep, { permissions, verified })
}

/** Brings a staging that holds files of the base to the revision. Gives how many files were written. */
async function applyPlan(
  projection: ProjectionState,
  staging: Staging,
  revision: Revision,
  plan: StagePlan,
  options: { signal: AbortSignal | undefined; sync: boolean },
): Promise<number> {
  const { shown, layout, permissions, disk, contents } = projection
  for (const path of plan.remove) if (staging.files.has(path)) removeStaged(staging, path)
  // First, so that a file may take the place of a folder.
  if (plan.vacates) removeEmptyFolders(staging)
  const base = shown ? layout.content(shown) : ""
  const isReached = checkRealFolders(disk, base)
  for (const { from, to } of plan.move) {
    if (isReached(from.path)) linkFile(staging, `${base}/${from.path}`, from, to, { permissions })
  }
  const missing = revision.files.filter((file) => !staging.files.has(file.path))
  const moved = new Map(plan.move.map((move) => [move.to, move.from]))
  await writeChanged(staging, missing, {
    permissions,
    contents,
    ...options,
    local: (file) => localCopy(file, moved.get(file.path) ?? shown?.files.get(file.path)),
  })
  return missing.length

  function localCopy(file: RevisionFile, source: ManifestFile | undefined): Buffer | undefined {
    if (source?.sha256 !== file.sha256 || lookOrNothing(disk, `${base}/${source.path}`)?.kind !== "file")
      return undefined
    return readSound(disk, `${base}/${source.path}`, file.sha256)
  }
}

function manifestOf(
  projection: ProjectionState,
  staging: Staging,
  revision: Revision,
  number: number,
): Manifest {
  return {
    format: MANIFEST_FORMAT,
    revision: revision.id,
    number,
    token: revision.token,
    origins: [...originsOf(revision)],
    created: new Date(projection.clock.now()).toISOString(),
    files: revision.files.map((file) => {
      const staged = staging.files.get(file.path)
      if (!staged) throw new HeadraceError("publish/lost-file", `${file.path} was not staged`)
      return staged
    }),
  }
}

function nextNumber({ store, note }: ProjectionState): number {
  return Math.max(note.number, ...slotNumbers(store)) + 1
}
