import { isDeepStrictEqual } from "node:util"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import { compareTokens, tokenText } from "@headrace/shared/record/token"
import { checkPaths, checkRevisionId } from "../disk/check-paths.ts"
import { makeRoom } from "../retain/make-room.ts"
import { retireFiles } from "../retain/retire-files.ts"
import { checkLocks, saveNote } from "../store/held-locks.ts"
import type { ManifestFile } from "../store/manifest.ts"
import { raisedNote } from "../store/note.ts"
import { floorOf, UNNAMED_SOURCE } from "../store/origin.ts"
import { type ProjectionState, shownSlot } from "../store/projection-state.ts"
import { originsOf, type Revision } from "../store/revision.ts"
import type { Slot } from "../store/store.ts"
import { trashSlot } from "../store/trash.ts"
import { checkRoom } from "./check-room.ts"
import { checkPlace } from "./look-again.ts"
import { noteAfter } from "./note-after.ts"
import { isUnchanged, planStage, type StagePlan, writtenBytes } from "./plan-stage.ts"
import { stageRevision } from "./stage-revision.ts"

export interface PublishResult {
  revision: string
  number: number
  /** The revision's own directory. */
  path: string
  filesWritten: number
  filesLinked: number
  milliseconds: number
  /** How long of it was staging: all before the flip. */
  stagingMilliseconds: number
  outcome: "published" | "unchanged"
}

/**
 * Publishes a revision: stage, durable, into its slot, shown (docs/architecture.md#the-way-of-a-change, in that order). The caller
 * holds these locks and has looked again at what is shown. Before the flip an error leaves what is
 * published as it was; the staged revision is given up. A lock that was removed meanwhile is such an error.
 */
export async function publishRevision(
  projection: ProjectionState,
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
    putNamesBack(projection, shown)
    await noteToken(projection, revision, shown)
    return result(projection, shown, started, {
      staged: started,
      written: 0,
      linked: 0,
      outcome: "unchanged",
    })
  }
  await makeRoom(projection, writtenBytes(plan))
  checkRoom(projection, plan)
  const slot = await stageRevision(projection, revision, plan, signal)
  const staged = performance.now()
  try {
    await showSlot(projection, slot)
  } finally {
    const { retiring, number } = slot
    if (retiring) projection.notifyWatchers = () => retireFiles(projection, retiring, number)
  }
  const linked = slot.manifest.files.length - slot.written
  return result(projection, slot, started, { staged, written: slot.written, linked, outcome: "published" })
}

/**
 * Shows a slot. When that fails after the flip, what is shown is whole but may not be durable, and a second
 * fsync cannot be trusted: every file counts as damaged, so that the next publish rewrites them.
 */
async function showSlot(projection: ProjectionState, slot: Slot): Promise<void> {
  const { layout, shown } = projection
  try {
    checkPlace(projection)
    checkLocks(projection)
    await layout.show(slot, shown)
    projection.damaged = new Set()
    projection.lacksNames = false
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
      projection.note = { ...raisedNote(projection.note, slot.manifest.origins), number: slot.number }
    }
  }
}

function refuse({ note, path }: ProjectionState, revision: Revision): void {
  checkRevisionId(revision.id)
  if (note.pinned) {
    throw new HeadraceError(
      "publish/pinned",
      `${path} is pinned to ${note.pinned.number}: ${note.pinned.reason}`,
      {
        hint: `Run headrace-agent unpin ${path} to follow the source again.`,
      },
    )
  }
  if (note.returned && !revision.returns) {
    throw new HeadraceError(
      "publish/returned",
      `${path} has returned from a candidate: ${note.returned.reason}`,
      {
        hint: "Wait for the record's next revision.",
      },
    )
  }
  if (revision.returns) return
  for (const origin of originsOf(revision)) {
    const { token, isStale } = floorOf(note, origin)
    if (!isStale && compareTokens(origin.token, token) >= 0) continue
    const what = origin.source === UNNAMED_SOURCE ? revision.id : `${origin.source} (${origin.revision})`
    const older = isStale
      ? `${path} has shown what replaced ${what}`
      : `${path} has shown token ${tokenText(token)}; ${what} at ${tokenText(origin.token)} is older`
    throw new HeadraceError("publish/behind", older, {
      hint: "Run headrace-agent rollback to show an older revision on purpose, or rewind at the control plane.",
    })
  }
}

function undamagedFiles({ shown, damaged }: ProjectionState): Map<string, ManifestFile> {
  if (!shown) return new Map()
  if (damaged.size === 0) return shown.files
  return new Map([...shown.files].filter(([path]) => !damaged.has(path)))
}

function checkNewPaths({ layout, shown }: ProjectionState, revision: Revision, plan: StagePlan): void {
  if (!plan.hasNewPaths && revision.files.length === shown?.files.size) return
  const paths = revision.files.map((file) => file.path)
  checkPaths(paths, layout.reserved)
  layout.check(paths)
}

function putNamesBack(projection: ProjectionState, shown: Slot): void {
  if (!projection.lacksNames) return
  projection.layout.mend(shown)
  projection.lacksNames = false
}

async function noteToken(projection: ProjectionState, revision: Revision, shown: Slot): Promise<void> {
  const newer = noteAfter(projection, revision, shown.number)
  if (!isDeepStrictEqual(newer, projection.note)) await saveNote(projection, newer)
}

function result(
  projection: ProjectionState,
  slot: Slot,
  started: number,
  counts: { staged: number; written: number; linked: number; outcome: PublishResult["outcome"] },
): PublishResult {
  return {
    revision: slot.manifest.revision,
    number: slot.number,
    path: projection.layout.path(slot),
    filesWritten: counts.written,
    filesLinked: counts.linked,
    milliseconds: performance.now() - started,
    stagingMilliseconds: counts.staged - started,
    outcome: counts.outcome,
  }
}
