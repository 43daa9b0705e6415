import { dirname, join } from "node:path"
import type { Clock } from "@headrace/shared/foundation/clock"
import { errorMessage, errorText } from "@headrace/shared/foundation/errors"
import type { Log } from "@headrace/shared/observe/log"
import type { Token } from "@headrace/shared/record/record"
import { compareTokens } from "@headrace/shared/record/token"
import {
  type AssembledProjection,
  assembleProjection,
  type HeldOrigin,
} from "../assemble/assemble-projection.ts"
import type { Inputs } from "../assemble/inputs.ts"
import { readKnownObjects, writeKnownObjects } from "../assemble/known-objects.ts"
import type { ShownDigest } from "../assemble/source.ts"
import type { StoreReader } from "../assemble/store-reader.ts"
import { learnObjects } from "../assemble/used-objects.ts"
import { isInMemory } from "../disk/in-memory.ts"
import { siblingStore } from "../layout/open-layout.ts"
import { askBefore } from "../notify/ask-before.ts"
import type { Notice } from "../notify/notice.ts"
import { createNotifier, type Notifier } from "../notify/notifier.ts"
import type { Condition } from "../publish/examine.ts"
import { type OpenProjection, openProjection } from "../publish/open-projection.ts"
import type { PublishResult } from "../publish/publish-revision.ts"
import type { NodeTraces } from "../report/node-traces.ts"
import { type ProjectionStatus, problemOf, type ShownRevision } from "../report/projection-status.ts"
import type { Manifest } from "../store/manifest.ts"
import type { Origin } from "../store/origin.ts"
import { createLastParts, type LastParts } from "./last-parts.ts"
import { createOriginGuard, type Judgement } from "./origin-guard.ts"
import type { ProjectionSpec } from "./projection-spec.ts"
import type { PublishLimits } from "./publish-limits.ts"
import { revisionToShow } from "./revision-to-show.ts"

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
  /** True when every consumer was notified of what is shown. */
  isTold(): boolean
  /** Names of the store objects that it needs to know again: of what it shows, or did in an earlier run. */
  used(): Iterable<string>
  close(): Promise<void>
}

export function createProjection(spec: ProjectionSpec, ports: ProjectionPorts): Projection {
  const log = ports.log.child({ projection: spec.name })
  const { name, path, ofRecord } = spec
  const known = knownFolder(spec)
  const work: ProjectionWork = {
    spec,
    ports,
    log,
    known,
    lastParts: createLastParts(known, spec.permissions, log),
    guard: createOriginGuard(path, ports.clock),
    began: ports.clock.now(),
    status: { name, path, ofRecord, current: false },
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
    status: () => ({ ...work.status, unnotified: unsettled(work) }),
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
  readonly guard: ReturnType<typeof createOriginGuard>
  /** When it began, in milliseconds since 1970. */
  readonly began: number
  readonly status: ProjectionStatus
  readonly notifiers: readonly Notifier[]
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
  const { spec, status, lastParts } = work
  status.current = false
  const began = work.ports.clock.now()
  const folder = await openFolder(work, signal)
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
  const result = await publishAssembled(work, folder, assembled, judgement, signal)
  if (result?.outcome === "published") {
    work.ports.traces?.shown(inputs, { projection: spec.name, began, fetched, result })
  }
  notifyShown(work)
  status.damage = undefined
  if (assembled.key !== work.published) await writeKnown(work, assembled.used)
  work.published = assembled.key
  if (status.shown) await lastParts.write(status.shown)
  // The others have gone on; what holds one back is the projection's problem, and is tried again.
  for (const { error } of assembled.held) throw error
  status.current = true
  status.problem = undefined
  work.ports.onStatus?.()
}

function heldText({ name, part, error }: HeldOrigin): string {
  return `${name} stays as it was at ${part.revision}: ${errorMessage(error)}`
}

const DAMAGES: Record<Condition, string | undefined> = {
  right: undefined,
  moved: undefined,
  damaged: "parts of it are not what was published",
  elsewhere: "its folder was moved, removed or mounted over",
}

/** Looks at what readers see, and puts what is wrong with it into status and log at once. */
async function isMoved(work: ProjectionWork): Promise<boolean> {
  const { folder, status, ports, log } = work
  if (folder === undefined || status.shown === undefined) return false
  const { condition, damage } = await conditionOf(folder)
  // A show that fails is tried again in any case.
  const isShown = status.current
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

/** What cannot be examined is damage of this projection, and no reason for any other to stop. */
async function conditionOf(
  folder: OpenProjection,
): Promise<{ condition: Condition; damage: string | undefined }> {
  try {
    const condition = await folder.examine()
    return { condition, damage: DAMAGES[condition] }
  } catch (error) {
    return { condition: "damaged", damage: `it cannot be examined: ${errorText(error)}` }
  }
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
  assembled: AssembledProjection,
  judgement: Judgement,
  signal: AbortSignal,
): Promise<PublishResult | undefined> {
  const { spec, status, lastParts } = work
  const { limits } = work.ports
  const isSameContent = assembled.key === work.published
  const { id, token, origins } = revisionToShow(assembled, isSameContent, folder)
  const isShown = status.shown?.id === id && compareTokens(status.shown.token, token) === 0
  if (isSameContent && isShown && (await conditionOf(folder)).condition === "right") return undefined
  judgement.judgeRest(id, assembled.parts, spec.sources)
  const limit = isSameContent ? limits.tokenOnly : limits.published
  const { files } = assembled
  const result = await limit((aside) => {
    const ask = (path: string) => askBefore(spec, { ...noticeOf(spec, id, token), path }, signal)
    const approve = (staged: string) => aside(() => ask(staged))
    return folder.publish({ id, token, origins, files, approve }, signal)
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
