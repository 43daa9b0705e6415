import { sha256 } from "@headrace/shared/foundation/digest"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import { makeRoom } from "../retain/make-room.ts"
import { trashSlot } from "../retain/trash.ts"
import { checkPaths, checkRevisionId } from "./check-paths.ts"
import { checkRoom } from "./check-room.ts"
import { linkFile, linkUnchanged } from "./link-unchanged.ts"
import { chooseDurability, makeDurable, syncFolder } from "./make-durable.ts"
import { MANIFEST_FORMAT, type Manifest, type ManifestFile, manifestText } from "./manifest.ts"
import { writeNote } from "./note.ts"
import { isUnchanged, planStage, type StagePlan } from "./plan-stage.ts"
import { type Projection, shownSlot } from "./projection.ts"
import { isOlder, type Revision, type RevisionFile } from "./revision.ts"
import { discardStaging, openStaging, removeEmptyFolders, removeStaged, type Staging } from "./staging.ts"
import { MANIFEST_NAME, type Slot, slotName, slotNumbers } from "./store.ts"
import { writeBeside, writeChanged } from "./write-changed.ts"

const SLOT_MODE = 0o755
/** Milliseconds for which a look at every file need not be taken again. */
const VERIFIED_FOR = 1000

export interface PublishResult {
  revision: string
  number: number
  /** The revision's own directory. */
  path: string
  filesWritten: number
  filesLinked: number
  milliseconds: number
  outcome: "published" | "unchanged"
}

/**
 * Publishes a revision: stage, durable, into its slot, shown (design.md section 5, in that order). The caller
 * holds the projection's lock and has looked again at what is shown. Before the flip an error leaves what is
 * published as it was; the staged revision is given up.
 */
export async function publishRevision(
  projection: Projection,
  revision: Revision,
  signal: AbortSignal | undefined,
): Promise<PublishResult> {
  const started = performance.now()
  refuse(projection, revision)
  const plan = planStage(revision.files, undamagedFiles(projection), projection.permissions)
  checkNewPaths(projection, revision, plan)
  const { shown } = projection
  const sameId = !revision.evenIfEqual || shown?.manifest.revision === revision.id
  if (shown && sameId && projection.damaged.size === 0 && isUnchanged(plan)) {
    await noteToken(projection, revision)
    return result(projection, shown, started, { written: 0, linked: 0, outcome: "unchanged" })
  }
  await makeRoom(projection, plan)
  checkRoom(projection, plan)
  const slot = await stage(projection, revision, plan, signal)
  await showSlot(projection, slot)
  const linked = slot.manifest.files.length - slot.written
  return result(projection, slot, started, { written: slot.written, linked, outcome: "published" })
}

/**
 * Shows a slot. When that fails after the flip, what is shown is whole but may not be durable, and a second
 * fsync cannot be trusted: every file counts as damaged, so that the next publish writes them anew.
 */
async function showSlot(projection: Projection, slot: Slot): Promise<void> {
  const { layout, shown } = projection
  try {
    await layout.show(slot, shown)
    projection.damaged = new Set()
  } catch (error) {
    if (layout.shown() !== slot.number) {
      await trashSlot(projection.store, slot.number).catch(() => false)
      throw error
    }
    projection.damaged = new Set(slot.manifest.files.map((file) => file.path))
    throw error
  } finally {
    if (layout.shown() === slot.number) {
      projection.shown = shownSlot(slot)
      projection.note = { ...projection.note, token: slot.manifest.token, number: slot.number }
    }
  }
}

interface StagedSlot extends Slot {
  written: number
}

async function stage(
  projection: Projection,
  revision: Revision,
  plan: StagePlan,
  signal: AbortSignal | undefined,
): Promise<StagedSlot> {
  const { store, disk, permissions } = projection
  const durability = chooseDurability(projection.durability, plan.write.length)
  const clone = projection.clone
  projection.clone = undefined
  const staging = clone ?? (await openStaging(store, permissions))
  try {
    if (!clone) await linkKept(projection, staging, plan)
    const written = await applyPlan(projection, staging, revision, plan, {
      signal,
      sync: durability === "fsync",
    })
    const number = nextNumber(projection)
    const manifest = manifestOf(projection, staging, revision, number)
    const sync = durability === "fsync"
    await writeBeside(staging, MANIFEST_NAME, manifestText(manifest), { permissions, sync })
    nameItself(projection, staging)
    disk.rename(staging.content, `${staging.path}/${revision.id}`)
    staging.content = `${staging.path}/${revision.id}`
    disk.setMode(staging.folder, SLOT_MODE)
    await makeDurable(staging, durability)
    await revision.approve?.(`${store.folder.path}/${staging.name}/${revision.id}`)
    signal?.throwIfAborted()
    disk.rename(`${store.path}/${staging.name}`, `${store.path}/${slotName(number)}`)
    await syncFolder(disk, store.folder, durability)
    disk.close(staging.folder)
    for (const file of plan.write) projection.usedBytes += file.size
    return { number, manifest, written }
  } catch (error) {
    await discardStaging(staging).catch((cause: unknown) => {
      projection.log.warn({ err: cause, staging: staging.name }, "a staged revision was left behind")
    })
    throw error
  }
}

function nameItself({ layout, disk }: Projection, staging: Staging): void {
  if (layout.identity === undefined) return
  disk.link(`${staging.path}/${MANIFEST_NAME}`, `${staging.content}/${layout.identity}`)
  staging.unsynced.add("")
}

async function linkKept(projection: Projection, staging: Staging, plan: StagePlan): Promise<void> {
  const { shown, layout, permissions, verifiedAt } = projection
  if (!shown) return
  // A program that publishes once has looked at every file when it opened the projection, a moment ago.
  const verified = performance.now() - verifiedAt < VERIFIED_FOR
  await linkUnchanged(staging, layout.content(shown), plan.keep, { permissions, verified })
}

/** Brings a staging that holds files of the base to the revision. Gives how many files were written. */
async function applyPlan(
  projection: Projection,
  staging: Staging,
  revision: Revision,
  plan: StagePlan,
  options: { signal: AbortSignal | undefined; sync: boolean },
): Promise<number> {
  const { shown, layout, permissions, disk } = projection
  for (const path of plan.remove) if (staging.files.has(path)) removeStaged(staging, path)
  // First, so that a file may take the place of a folder.
  if (plan.remove.length > 0) removeEmptyFolders(staging)
  const base = shown ? layout.content(shown) : ""
  for (const { from, to } of plan.move) linkFile(staging, `${base}/${from.path}`, from, to, { permissions })
  const missing = revision.files.filter((file) => !staging.files.has(file.path))
  const moved = new Map(plan.move.map((move) => [move.to, move.from]))
  await writeChanged(staging, missing, {
    permissions,
    ...options,
    local: (file) => localCopy(file, moved.get(file.path) ?? shown?.files.get(file.path)),
  })
  return missing.length

  function localCopy(file: RevisionFile, source: ManifestFile | undefined): Buffer | undefined {
    if (source?.sha256 !== file.sha256 || disk.look(`${base}/${source.path}`)?.kind !== "file")
      return undefined
    const content = disk.read(`${base}/${source.path}`)
    return sha256(content) === file.sha256 ? content : undefined
  }
}

function manifestOf(projection: Projection, staging: Staging, revision: Revision, number: number): Manifest {
  return {
    format: MANIFEST_FORMAT,
    revision: revision.id,
    number,
    token: revision.token,
    created: new Date(projection.clock.now()).toISOString(),
    files: revision.files.map((file) => {
      const staged = staging.files.get(file.path)
      if (!staged) throw new HeadraceError("publish/lost-file", `${file.path} was not staged`)
      return staged
    }),
  }
}

function refuse({ note, path }: Projection, revision: Revision): void {
  checkRevisionId(revision.id)
  if (note.pinned) {
    throw new HeadraceError(
      "publish/pinned",
      `${path} is pinned to ${note.pinned.number}: ${note.pinned.reason}`,
      {
        hint: `Run: headrace-agent unpin ${path}`,
      },
    )
  }
  if (!isOlder(revision.token, note.token)) return
  const { epoch, seq } = revision.token
  throw new HeadraceError(
    "publish/behind",
    `${path} has shown token ${note.token.epoch}.${note.token.seq}; ${revision.id} at ${epoch}.${seq} is older`,
    {
      hint: "To show an older revision on purpose: headrace-agent rollback, or rewind at the control plane.",
    },
  )
}

function undamagedFiles({ shown, damaged }: Projection): Map<string, ManifestFile> {
  if (!shown) return new Map()
  if (damaged.size === 0) return shown.files
  return new Map([...shown.files].filter(([path]) => !damaged.has(path)))
}

function checkNewPaths({ layout, shown }: Projection, revision: Revision, plan: StagePlan): void {
  if (!plan.hasNewPaths && revision.files.length === shown?.files.size) return
  const paths = revision.files.map((file) => file.path)
  checkPaths(paths, layout.reserved)
  layout.check(paths)
}

async function noteToken(projection: Projection, revision: Revision): Promise<void> {
  const { note, store, durability } = projection
  if (!isOlder(note.token, revision.token)) return
  const newer = { ...note, token: revision.token }
  await writeNote(store, newer, durability)
  projection.note = newer
}

function nextNumber({ store, note }: Projection): number {
  return Math.max(note.number, ...slotNumbers(store)) + 1
}

function result(
  projection: Projection,
  slot: Slot,
  started: number,
  counts: { written: number; linked: number; outcome: PublishResult["outcome"] },
): PublishResult {
  return {
    revision: slot.manifest.revision,
    number: slot.number,
    path: projection.layout.path(slot),
    filesWritten: counts.written,
    filesLinked: counts.linked,
    milliseconds: performance.now() - started,
    outcome: counts.outcome,
  }
}
