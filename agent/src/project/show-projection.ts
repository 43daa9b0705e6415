import { errorMessage, errorText } from "@headrace/shared/foundation/errors"
import { compareTokens } from "@headrace/shared/record/token"
import {
  type AssembledProjection,
  assembleProjection,
  type HeldOrigin,
} from "../assemble/assemble-projection.ts"
import { baselineOf } from "../assemble/followed-record.ts"
import type { Inputs } from "../assemble/inputs.ts"
import { readKnownObjects, writeKnownObjects } from "../assemble/known-objects.ts"
import { RECORD_HISTORY, type ShownDigest } from "../assemble/source.ts"
import { learnObjects } from "../assemble/used-objects.ts"
import { isInMemory } from "../disk/in-memory.ts"
import { askBefore } from "../notify/ask-before.ts"
import { type OpenProjection, openProjection } from "../publish/open-projection.ts"
import type { PublishResult } from "../publish/publish-revision.ts"
import { type ProjectionProblem, problemOf } from "../report/projection-status.ts"
import type { Manifest } from "../store/manifest.ts"
import type { Returned } from "../store/note.ts"
import { conditionOf, DAMAGES } from "./condition.ts"
import type { Judgement } from "./origin-guard.ts"
import {
  measurePropagation,
  nameLeftOut,
  noticeOf,
  notifyShown,
  recordPublish,
  shownOf,
} from "./projection-progress.ts"
import type { ProjectionWork } from "./projection-work.ts"
import { revisionToShow } from "./revision-to-show.ts"
import { isRefusal, returnedText, type ShowStep, showSteps } from "./trial.ts"

/** So long an origin that was not read since the start is waited for before the others go on without it. */
const FIRST_READ_MS = 10_000

/**
 * Shows what the inputs say: assembles, publishes, and writes down what it knows of the store. Throws what prevents it;
 * what is published stays.
 */
export async function show(work: ProjectionWork, inputs: Inputs, signal: AbortSignal): Promise<void> {
  const { status, ports } = work
  status.current = false
  const folder = await openFolder(work, signal)
  status.pinned = folder.pinned()
  await work.recordFloor?.judge(inputs, folder, ports.clock.now())
  const steps = await stepsOf(work, folder, inputs)
  for (const step of steps) await showStep(work, folder, step, signal)
  await work.recordFloor?.shown(inputs)
  const returned = folder.returned()
  if (steps.length === 0) showReturned(work, folder, inputs)
  status.failedCandidate = returned ? { ...returned, ...returnedProblem(returned) } : undefined
  if (returned) status.problem = returnedProblem(returned)
  else status.current = true
  ports.onStatus?.()
}

async function stepsOf(work: ProjectionWork, folder: OpenProjection, inputs: Inputs): Promise<ShowStep[]> {
  const { record } = inputs
  if (!work.status.followsRecord) return [{ inputs, revision: undefined, isCandidate: false }]
  const takes = record !== undefined && work.ports.takes?.(record) === true
  return showSteps(folder, inputs, { takes, health: work.health.state() })
}

/** Shows one revision. A candidate that its content or a hook keeps back is named in the status: that is a verdict of it. */
async function showStep(
  work: ProjectionWork,
  folder: OpenProjection,
  step: ShowStep,
  signal: AbortSignal,
): Promise<void> {
  try {
    await showRevision(work, folder, step, signal)
  } catch (error) {
    const { revision, isCandidate } = step
    if (isCandidate && revision && isRefusal(error)) {
      const now = new Date(work.ports.clock.now()).toISOString()
      work.status.failedCandidate = { ...problemOf(error, work.status.failedCandidate, now), ...revision }
    }
    throw error
  }
}

async function showRevision(
  work: ProjectionWork,
  folder: OpenProjection,
  step: ShowStep,
  signal: AbortSignal,
): Promise<void> {
  const { spec, status, lastParts } = work
  const { inputs } = step
  const began = work.ports.clock.now()
  const files = folder.current()?.manifest.files ?? []
  const last = lastParts.current()
  const judgement = work.guard.begin({ last, files, approved: folder.approved() })
  const assembled = await assembleProjection(spec.sources, inputs, {
    previous: work.assembled,
    shown: shownDigests(files),
    last,
    // After a start sources are read one after the other: one revision of all of them is better than several.
    awaitsUnread: work.ports.clock.now() - work.began < FIRST_READ_MS,
    judge: judgement.judge,
    uniqueBaseNames: spec.uniqueBaseNames,
  })
  nameLeftOut(work, [...assembled.warnings, ...assembled.held.map(heldText)])
  work.assembled = assembled
  work.learnt = new Map()
  const fetched = work.ports.clock.now()
  const result = await publishAssembled(work, folder, { assembled, judgement, step }, signal)
  if (result?.outcome === "published") {
    work.ports.traces?.shown(inputs, { projection: spec.name, began, fetched, result })
  }
  const isKept = assembled.parts.some(
    ({ history, shown }) => history === RECORD_HISTORY && shown !== undefined,
  )
  if (!isKept) {
    status.recordRevision = step.revision
    status.isCandidate = step.isCandidate
  }
  notifyShown(work)
  followHealth(work)
  status.damage = undefined
  if (assembled.key !== work.published) await writeKnown(work, assembled.used)
  work.published = assembled.key
  if (status.shown) await lastParts.write(status.shown)
  // The others have gone on; what holds one back is the projection's problem, and is tried again.
  for (const { error } of assembled.held) throw error
  status.problem = undefined
}

/** Has checked what is shown now. */
function followHealth({ spec, status, health }: ProjectionWork): void {
  const { shown, recordRevision, isCandidate = false } = status
  if (shown === undefined) return
  const { name: projection, path } = spec
  const { token, root } = recordRevision ?? { token: shown.token, root: null }
  health.follow({ projection, path, revision: shown.id, token, root, isCandidate })
}

/** Takes in that the baseline is shown again, from disk. */
function showReturned(work: ProjectionWork, folder: OpenProjection, { record }: Inputs): void {
  const current = folder.current()
  if (current && current.number !== work.status.shown?.number) {
    work.status.shown = shownOf(current, work.ports.clock)
    work.published = undefined
  }
  const { token, root } = folder.baseline() ?? (record && baselineOf(record)) ?? {}
  work.status.recordRevision = token && root !== undefined ? { token, root } : undefined
  work.status.isCandidate = false
  notifyShown(work)
  followHealth(work)
}

function returnedProblem(returned: Returned): ProjectionProblem {
  return { code: "projection/returned", message: returnedText(returned), since: returned.since }
}

function heldText({ name, part, error }: HeldOrigin): string {
  return `${name} stays as it was at ${part.revision}: ${errorMessage(error)}`
}

async function openFolder(work: ProjectionWork, signal: AbortSignal): Promise<OpenProjection> {
  if (work.folder) return work.folder
  const { ports, status } = work
  const folder = await openProjection({ ...work.spec, contents: ports.contents, log: work.log, signal })
  work.folder = folder
  if (work.spec.isSecret && !isInMemory(work.spec.path)) {
    work.log.warn({ path: work.spec.path }, "Secrets are kept on a disk; a tmpfs keeps them in memory")
  }
  work.learnt = await readKnownObjects(work.known)
  await work.lastParts.read(folder.current())
  learnObjects(ports.store, work.learnt)
  const current = folder.current()
  if (current) status.shown = shownOf(current, ports.clock)
  status.damage = folder.damaged().length > 0 ? DAMAGES.damaged : undefined
  ports.onStatus?.()
  return folder
}

/** Publishes unless disk shows just that. */
async function publishAssembled(
  work: ProjectionWork,
  folder: OpenProjection,
  { assembled, judgement, step }: { assembled: AssembledProjection; judgement: Judgement; step: ShowStep },
  signal: AbortSignal,
): Promise<PublishResult | undefined> {
  const { spec, status, lastParts } = work
  const { limits } = work.ports
  const { trial, returns } = step
  const isSameContent = assembled.key === work.published
  const { id, token, origins } = revisionToShow(assembled, isSameContent, folder, returns !== undefined)
  const isShown = status.shown?.id === id && compareTokens(status.shown.token, token) === 0
  if (isSameContent && isShown && (await conditionOf(folder, () => status.shown)).condition === "right")
    return undefined
  judgement.judgeRest(id, assembled.parts, spec.sources)
  const limit = isSameContent ? limits.tokenOnly : limits.published
  const { files } = assembled
  const result = await limit((aside) => {
    const ask = (path: string) => askBefore(spec, { ...noticeOf(spec, id, token), path }, signal)
    const approve = (staged: string) => aside(() => ask(staged))
    const tried = { ...(trial && { trial }), ...(returns && { returns }) }
    return folder.publish({ id, token, origins, files, approve, ...tried }, signal)
  }, signal)
  judgement.accept()
  lastParts.shown(assembled.parts, origins)
  recordPublish(work, origins[0], result)
  measurePropagation(work, assembled, result)
  return result
}

function shownDigests(files: Manifest["files"]): ShownDigest {
  const byPath = new Map(files.map(({ path, sha256 }) => [path, sha256]))
  return (path) => byPath.get(path)
}

/** Only a cache: that it cannot be written costs the next start some reads, and nothing now. */
async function writeKnown({ known, log }: ProjectionWork, used: AssembledProjection["used"]): Promise<void> {
  await writeKnownObjects(known, used).catch((error: unknown) => {
    log.warn({ err: errorText(error) }, "cannot write down what is known of the store")
  })
}
