import { dirname, join } from "node:path"
import type { Clock } from "@headrace/shared/foundation/clock"
import { errorMessage, errorText } from "@headrace/shared/foundation/errors"
import type { Log } from "@headrace/shared/observe/log"
import type { SourceRecord, Token } from "@headrace/shared/record/record"
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
import type { StoreReader } from "../assemble/store-reader.ts"
import { learnObjects } from "../assemble/used-objects.ts"
import { isInMemory } from "../disk/in-memory.ts"
import type { Health } from "../health/health.ts"
import type { CheckResult } from "../health/run-check.ts"
import { siblingStore } from "../layout/open-layout.ts"
import { askBefore } from "../notify/ask-before.ts"
import type { Notice } from "../notify/notice.ts"
import { createNotifier, type Notifier } from "../notify/notifier.ts"
import { type OpenProjection, openProjection } from "../publish/open-projection.ts"
import type { PublishResult } from "../publish/publish-revision.ts"
import type { NodeTraces } from "../report/node-traces.ts"
import {
  type ProjectionProblem,
  type ProjectionStatus,
  problemOf,
  type ShownRevision,
} from "../report/projection-status.ts"
import type { Manifest } from "../store/manifest.ts"
import type { Returned } from "../store/note.ts"
import type { Origin } from "../store/origin.ts"
import { conditionOf, DAMAGES, pinnedOf } from "./condition.ts"
import { createLastParts, type LastParts } from "./last-parts.ts"
import { createOriginGuard, type Judgement } from "./origin-guard.ts"
import { createProjectionHealth } from "./projection-health.ts"
import type { ProjectionSpec } from "./projection-spec.ts"
import type { PublishLimits } from "./publish-limits.ts"
import { createRecordFloor, type RecordFloor } from "./record-floor.ts"
import { revisionToShow } from "./revision-to-show.ts"
import { isRefusal, returnedText, type ShowStep, showSteps } from "./trial.ts"

/** As many files as a log line names. */
const MOST_NAMED = 10

/** So long an origin that was not read since the start is waited for before the others go on without it. */
const FIRST_READ_MS = 10_000

/** At each start sources were not read yet: no reason to warn at the first tries. */
const USUAL_WAITS = 2

export interface ProjectionPorts {
  store: StoreReader
  clock: Clock
  log: Log
  limits: PublishLimits
  /** How old the signature of a first record may be, in milliseconds; undefined: records need not be signed. */
  maxAge?: number | undefined
  /** Spread of the first read after a change, in milliseconds. */
  jitter: number
  /** Gives a number in [0, 1). */
  random?: (() => number) | undefined
  /** How often to look whether another process has moved what is shown, in milliseconds; 10 s unless given. */
  lookEvery?: number | undefined
  onPublished?(spec: ProjectionSpec, result: PublishResult): void
  /** Called when a commit that is newer than what this process has shown is published, so many milliseconds after it was made. */
  onPropagated?(milliseconds: number): void
  /** Where spans of the way of commits of the record go; absent: nowhere. */
  traces?: NodeTraces | undefined
  /** Called when what is shown is new, or new to this process: work that is rare has ended. */
  onShown?(): void
  onFailed?(spec: ProjectionSpec, error: unknown): void
  /** Called with each run of a check. */
  onCheck?(spec: ProjectionSpec, check: string, result: CheckResult): void
  /** True when this node takes the candidate of a record; absent: it takes none. */
  takes?(record: SourceRecord): boolean
  /** Called when a status has changed. */
  onStatus?(): void
}

/** One projection at work; its folder is opened, and locked, at first use. */
export interface Projection {
  status(): ProjectionStatus
  /**
   * Shows what the inputs say: assembles, publishes, writes down what it knows of the store. Throws what prevents it; what is published
   * stays.
   */
  show(inputs: Inputs, signal: AbortSignal): Promise<void>
  /** True when another process has moved what was shown since: a rollback by the command line. Show it again. */
  isMoved(): Promise<boolean>
  /** Puts the reason for a failed show, and what disk shows all the same, into the status and the log. */
  failed(error: unknown, attempt: number): void
  /** Tells consumers until the signal aborts. */
  notify(signal: AbortSignal): Promise<unknown>
  /**
   * Checks what is shown until the signal aborts. `showAgain` is called when a candidate of a rollout fails: what was
   * given to `show` last is to be given again.
   */
  check(showAgain: () => void, signal: AbortSignal): Promise<unknown>
  /** True when every consumer was notified of what is shown. */
  isTold(): boolean
  /** Names of the store objects that it needs to know again: of what it shows, or did in an earlier run. */
  used(): Iterable<string>
  close(): Promise<void>
}

export function createProjection(spec: ProjectionSpec, ports: ProjectionPorts): Projection {
  const log = ports.log.child({ projection: spec.name })
  const { name, path, ofRecord } = spec
  const followsRecord = spec.sources.some(({ history }) => history === RECORD_HISTORY)
  const known = knownFolder(spec)
  const work: ProjectionWork = {
    spec,
    ports,
    log,
    known,
    recordFloor:
      ports.maxAge !== undefined && followsRecord ? createRecordFloor(known, ports.maxAge, log) : undefined,
    lastParts: createLastParts(known, spec.permissions, log),
    guard: createOriginGuard(path, spec.guard, ports.clock),
    began: ports.clock.now(),
    status: { name, path, ofRecord, followsRecord, current: false },
    health: createProjectionHealth(spec, {
      clock: ports.clock,
      log,
      onChange: () => ports.onStatus?.(),
      onFailing: () => work.showAgain(),
      onRun: ports.onCheck,
    }),
    showAgain: () => undefined,
    notifiers: spec.notify.map((settings, index) =>
      createNotifier(settings, {
        clock: ports.clock,
        log,
        onDelivered: (notice, way) => ports.traces?.notified(notice, index, way),
      }),
    ),
    folder: undefined,
    learnt: new Map(),
    assembled: undefined,
    published: undefined,
    notified: undefined,
    newest: undefined,
  }
  return {
    status: () => ({ ...work.status, unnotified: unsettled(work), health: work.health.state() }),
    check(showAgain, checking) {
      work.showAgain = showAgain
      return work.health.run(checking)
    },
    show: (inputs, signal) => show(work, inputs, signal),
    isMoved: () => isMoved(work),
    failed: (error, attempt) => reportFailure(work, error, attempt),
    notify: (signal) => Promise.all(work.notifiers.map((notifier) => notifier.run(signal))),
    used: () => (work.assembled?.used ?? work.learnt).keys(),
    isTold: () => unsettled(work) === 0,
    close: async () => work.folder?.close(),
  }
}

function unsettled({ notifiers }: ProjectionWork): number {
  return notifiers.filter((notifier) => !notifier.isSettled()).length
}

/** What the functions of one projection share. */
interface ProjectionWork {
  readonly spec: ProjectionSpec
  readonly ports: ProjectionPorts
  readonly log: Log
  /** The folder that holds what is known of the store. */
  readonly known: string
  readonly lastParts: LastParts
  /** Undefined: it shows nothing of a record, or records need not be signed. */
  readonly recordFloor: RecordFloor | undefined
  readonly guard: ReturnType<typeof createOriginGuard>
  /** When it began, in milliseconds since 1970. */
  readonly began: number
  readonly status: ProjectionStatus
  readonly notifiers: readonly Notifier[]
  readonly health: Health
  /** Has what was given to `show` last given again. */
  showAgain: () => void
  /** Opened at first use. */
  folder: OpenProjection | undefined
  /** What an earlier run knew of the store, until something is assembled. */
  learnt: AssembledProjection["used"]
  assembled: AssembledProjection | undefined
  /** The key of what is published. */
  published: string | undefined
  /** The number that consumers were notified of; none at start, so that they are notified then too. */
  notified: number | undefined
  /** When the newest commit that this process has shown was made, in milliseconds since the epoch. */
  newest: number | undefined
}

async function show(work: ProjectionWork, inputs: Inputs, signal: AbortSignal): Promise<void> {
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

/** Looks at what readers see, and puts what is wrong with it into status and log at once. */
async function isMoved(work: ProjectionWork): Promise<boolean> {
  const { folder, status, ports, log } = work
  if (folder === undefined || status.shown === undefined) return false
  const { condition, damage } = await conditionOf(folder, () => (status.current ? status.shown : undefined))
  const pinned = pinnedOf(folder, status.pinned)
  if (pinned !== status.pinned) {
    status.pinned = pinned
    ports.onStatus?.()
  }
  // A show that fails is tried again in any case; one that has returned from a candidate is at rest.
  const isShown = status.current || status.problem?.code === "projection/returned"
  if (damage !== undefined && damage !== status.damage) {
    log.warn({ condition }, "what readers see is not what was published; publishing it again")
    status.current = false
  }
  if (damage !== status.damage) {
    status.damage = damage
    ports.onStatus?.()
  }
  return isShown && condition !== "right"
}

async function openFolder(work: ProjectionWork, signal: AbortSignal): Promise<OpenProjection> {
  if (work.folder) return work.folder
  const { ports, status } = work
  const folder = await openProjection({ ...work.spec, log: work.log, signal })
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
  })
  judgement.accept()
  lastParts.shown(assembled.parts, origins)
  recordPublish(work, origins[0], result)
  measurePropagation(work, assembled, result)
  return result
}

/**
 * Measures the way of commits that came while this process ran: what it shows first was there before, and a rewind or a
 * hold goes to a commit that is old.
 */
function measurePropagation(
  work: ProjectionWork,
  { parts }: AssembledProjection,
  { outcome }: PublishResult,
): void {
  const at = parts.find(({ commit }) => commit)?.commit?.committedAt
  if (at === undefined) return
  const { newest, ports } = work
  work.newest = Math.max(newest ?? 0, at)
  if (outcome === "unchanged" || newest === undefined || at <= newest) return
  ports.onPropagated?.(Math.max(0, ports.clock.now() - at))
}

function shownDigests(files: Manifest["files"]): ShownDigest {
  const byPath = new Map(files.map(({ path, sha256 }) => [path, sha256]))
  return (path) => byPath.get(path)
}

function nameLeftOut({ status, log, ports }: ProjectionWork, warnings: readonly string[]): void {
  const before = new Set(status.leftOut)
  status.leftOut = warnings
  const news = warnings.filter((warning) => !before.has(warning))
  if (news.length > 0)
    log.warn({ files: news.slice(0, MOST_NAMED), count: warnings.length }, "files are left out")
  if (news.length > 0 || before.size !== warnings.length) ports.onStatus?.()
}

/** Puts what was published into status, metrics and log. */
function recordPublish(work: ProjectionWork, { token, source }: Origin, result: PublishResult): void {
  const { ports, status } = work
  const { number, outcome } = result
  const now = new Date(ports.clock.now()).toISOString()
  const since = outcome === "unchanged" ? status.shown?.since : undefined
  status.shown = { id: result.revision, token, source, number, since: since ?? now }
  if (outcome !== "unchanged" || work.published === undefined) ports.onShown?.()
  if (outcome === "unchanged") return
  ports.onPublished?.(work.spec, result)
  work.log.info(
    {
      revision: result.revision,
      number,
      seq: token.seq,
      written: result.filesWritten,
      linked: result.filesLinked,
      milliseconds: Math.round(result.milliseconds),
    },
    "revision published",
  )
}

/** Notifies consumers of what is shown, once of each. */
function notifyShown(work: ProjectionWork): void {
  const { shown } = work.status
  if (shown === undefined || shown.number === work.notified) return
  work.notified = shown.number
  for (const notifier of work.notifiers) notifier.tell(noticeOf(work.spec, shown.id, shown.token))
}

function noticeOf({ name, path }: ProjectionSpec, revision: string, token: Token): Notice {
  return { projection: name, path, revision, token }
}

function reportFailure(work: ProjectionWork, error: unknown, attempt: number): void {
  const { ports, status } = work
  ports.onFailed?.(work.spec, error)
  takeInMoved(work)
  const before = status.problem
  status.problem = problemOf(error, before, new Date(ports.clock.now()).toISOString())
  ports.onStatus?.()
  const { code, message, since } = status.problem
  const isNews = code === "projection/waits" ? attempt === USUAL_WAITS : since !== before?.since
  if (isNews) work.log.warn({ code, err: message, attempt }, "cannot publish")
}

/** A publish that was refused has looked at disk before: an operator may have led it elsewhere. */
function takeInMoved(work: ProjectionWork): void {
  const current = work.folder?.current()
  if (current === undefined || current.number === work.status.shown?.number) return
  // A flip whose last sync failed is visible and not yet durable: the next publish announces it.
  if ((work.folder?.damaged().length ?? 0) > 0) return
  work.status.shown = shownOf(current, work.ports.clock)
  notifyShown(work)
}

/** Only a cache: that it cannot be written costs the next start some reads, and nothing now. */
async function writeKnown({ known, log }: ProjectionWork, used: AssembledProjection["used"]): Promise<void> {
  await writeKnownObjects(known, used).catch((error: unknown) => {
    log.warn({ err: errorText(error) }, "cannot write down what is known of the store")
  })
}

/** Where to write down what is known of the store: hidden, and never in what a consumer sees swapped. */
function knownFolder({ path, layout, workFolder }: ProjectionSpec): string {
  if (workFolder !== undefined) return join(workFolder, "known")
  return layout === "links" ? `${path}/..known` : join(dirname(path), siblingStore(path), "known")
}

function shownOf(current: NonNullable<ReturnType<OpenProjection["current"]>>, clock: Clock): ShownRevision {
  const since = new Date(clock.now()).toISOString()
  const source = current.manifest.origins[0]?.source ?? ""
  return { id: current.id, token: current.token, source, number: current.number, since }
}
