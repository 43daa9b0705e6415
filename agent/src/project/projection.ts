import { dirname, join } from "node:path"
import type { Clock } from "@headrace/shared/foundation/clock"
import { errorText } from "@headrace/shared/foundation/errors"
import type { Log } from "@headrace/shared/observe/log"
import type { Token } from "@headrace/shared/record/record"
import { compareTokens } from "@headrace/shared/record/token"
import { type Assembled, assembleProjection } from "../assemble/assemble-projection.ts"
import type { Inputs } from "../assemble/inputs.ts"
import { readKnownObjects, writeKnownObjects } from "../assemble/known-objects.ts"
import type { StoreReader } from "../assemble/store-reader.ts"
import { learnObjects } from "../assemble/used-objects.ts"
import { siblingStore } from "../layout/open-layout.ts"
import { askBefore } from "../notify/ask-before.ts"
import type { Notice } from "../notify/notice.ts"
import { createNotifier } from "../notify/notifier.ts"
import { type OpenProjection, openProjection } from "../publish/open-projection.ts"
import type { PublishResult } from "../publish/publish-revision.ts"
import { type ProjectionStatus, problemOf, type ShownRevision } from "../report/projection-status.ts"
import type { ProjectionSpec } from "./projection-spec.ts"
import type { PublishLimits } from "./publish-limits.ts"
import { refuseOlder, revisionOf } from "./revision-to-show.ts"

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
  /** Told when what is shown is new, or new to this process: work that is rare has ended. */
  onShown?(): void
  onFailed?(spec: ProjectionSpec, error: unknown): void
  /** Told when a status has changed. */
  onStatus?(): void
}

/** One projection at work; its folder is opened, and locked, at first use. */
export interface Projection {
  status(): ProjectionStatus
  /**
   * Shows what the inputs say: assembles, publishes, notes. Throws what stands in the way; what is published
   * stays.
   */
  show(inputs: Inputs, signal: AbortSignal): Promise<void>
  /** True when another process has moved what was shown since: a rollback by the command line. Show it again. */
  isMoved(): boolean
  /** Puts the reason for a failed show, and what disk shows all the same, into the status and the log. */
  failed(error: unknown, attempt: number): void
  /** Tells consumers until the signal aborts. */
  notify(signal: AbortSignal): Promise<unknown>
  /** True when every consumer was told of what is shown. */
  isTold(): boolean
  /** Names of the store objects that it needs to know again: of what it shows, or did in an earlier run. */
  used(): Iterable<string>
  close(): Promise<void>
}

export function createProjection(spec: ProjectionSpec, ports: ProjectionPorts): Projection {
  const log = ports.log.child({ projection: spec.name })
  const known = knownFolder(spec)
  const { name, path, ofRecord } = spec
  const status: ProjectionStatus = { name, path, ofRecord, current: false }
  let opened: OpenProjection | undefined
  let learnt: Assembled["used"] = new Map()
  let assembled: Assembled | undefined
  /** The key of what is published. */
  let published: string | undefined
  /** The revision that consumers were told of; none at start, so that they are told then too. */
  let told: number | undefined
  const notifiers = spec.notify.map((settings) => createNotifier(settings, { clock: ports.clock, log }))

  function tell(): void {
    const { shown } = status
    if (shown === undefined || shown.number === told) return
    told = shown.number
    for (const notifier of notifiers) notifier.tell(noticeOf(shown.id, shown.token))
  }

  function noticeOf(revision: string, token: Token): Notice {
    return { projection: spec.name, path: spec.path, revision, token }
  }

  async function open(signal: AbortSignal): Promise<OpenProjection> {
    if (opened) return opened
    opened = await openProjection({ ...spec, log, signal })
    learnt = await readKnownObjects(known)
    learnObjects(ports.store, learnt)
    const current = opened.current()
    if (current) status.shown = shownOf(current, ports.clock)
    ports.onStatus?.()
    return opened
  }

  async function show(inputs: Inputs, signal: AbortSignal): Promise<void> {
    status.current = false
    const folder = await open(signal)
    assembled = await assembleProjection(spec.sources, inputs, assembled)
    learnt = new Map()
    const { key, files, used } = assembled
    const { id, token } = revisionOf(assembled, key === published, folder)
    refuseOlder(token, folder.floor())
    const isShown = status.shown?.id === id && compareTokens(status.shown.token, token) === 0
    if (key !== published || !isShown || folder.isMoved()) {
      const limit = key === published ? ports.limits.noted : ports.limits.published
      const approve = (staged: string) => askBefore(spec, { ...noticeOf(id, token), path: staged }, signal)
      settle(token, await limit(() => folder.publish({ id, token, files, approve }, signal)))
    }
    tell()
    status.current = true
    status.problem = undefined
    ports.onStatus?.()
    if (key !== published) await note(used)
    published = key
  }

  /** A publish that was refused has looked at disk before: an operator may have led it elsewhere. */
  function noticeShown(): void {
    const current = opened?.current()
    if (current === undefined || current.number === status.shown?.number) return
    status.shown = shownOf(current, ports.clock)
    tell()
  }

  function settle(token: Token, result: PublishResult): void {
    const { number, outcome } = result
    const now = new Date(ports.clock.now()).toISOString()
    const since = outcome === "unchanged" ? status.shown?.since : undefined
    status.shown = { id: result.revision, token, number, since: since ?? now }
    if (outcome !== "unchanged" || published === undefined) ports.onShown?.()
    if (outcome === "unchanged") return
    ports.onPublished?.(spec, result)
    log.info(
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

  /** Only a cache: that it cannot be written costs the next start some reads, and nothing now. */
  async function note(used: Assembled["used"]): Promise<void> {
    await writeKnownObjects(known, used).catch((error: unknown) => {
      log.warn({ error: errorText(error) }, "cannot note what is known of the store")
    })
  }

  return {
    status: () => status,
    show,
    isMoved: () => status.current && opened?.isMoved() === true,
    failed(error, attempt) {
      ports.onFailed?.(spec, error)
      noticeShown()
      const before = status.problem
      status.problem = problemOf(error, before, new Date(ports.clock.now()).toISOString())
      ports.onStatus?.()
      const { code, message, since } = status.problem
      const isNews = code === "projection/waits" ? attempt === USUAL_WAITS : since !== before?.since
      if (isNews) log.warn({ code, error: message, attempt }, "cannot publish")
    },
    notify: (signal) => Promise.all(notifiers.map((notifier) => notifier.run(signal))),
    used: () => (assembled?.used ?? learnt).keys(),
    isTold: () => notifiers.every((notifier) => notifier.isSettled()),
    async close() {
      await opened?.close()
    },
  }
}

/** Where to note what is known of the store: hidden, and never in what a consumer sees swapped. */
function knownFolder({ path, layout }: ProjectionSpec): string {
  return layout === "links" ? `${path}/..known` : join(dirname(path), siblingStore(path), "known")
}

function shownOf(current: NonNullable<ReturnType<OpenProjection["current"]>>, clock: Clock): ShownRevision {
  const since = new Date(clock.now()).toISOString()
  return { id: current.id, token: current.token, number: current.number, since }
}
