import type { Clock } from "@headrace/shared/foundation/clock"
import type { Token } from "@headrace/shared/record/record"
import type { AssembledProjection } from "../assemble/assemble-projection.ts"
import type { Notice } from "../notify/notice.ts"
import type { OpenProjection } from "../publish/open-projection.ts"
import type { PublishResult } from "../publish/publish-revision.ts"
import { problemOf, type ShownRevision } from "../report/projection-status.ts"
import type { Origin } from "../store/origin.ts"
import type { ProjectionSpec } from "./projection-spec.ts"
import type { ProjectionWork } from "./projection-work.ts"

/** As many files as a log line names. */
const MOST_NAMED = 10

/** At each start sources were not read yet: no reason to warn at the first tries. */
const USUAL_WAITS = 2

/**
 * Measures the way of commits that came while this process ran: what it shows first was there before, and a rewind or a
 * hold goes to a commit that is old.
 */
export function measurePropagation(
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

/** Puts into status and log what sources leave out, each sentence once. */
export function nameLeftOut({ status, log, ports }: ProjectionWork, warnings: readonly string[]): void {
  const before = new Set(status.leftOut)
  status.leftOut = warnings
  const news = warnings.filter((warning) => !before.has(warning))
  if (news.length > 0)
    log.warn({ files: news.slice(0, MOST_NAMED), count: warnings.length }, "files are left out")
  if (news.length > 0 || before.size !== warnings.length) ports.onStatus?.()
}

/** Puts what was published into status, metrics and log. */
export function recordPublish(work: ProjectionWork, { token, source }: Origin, result: PublishResult): void {
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
export function notifyShown(work: ProjectionWork): void {
  const { shown } = work.status
  if (shown === undefined || shown.number === work.notified) return
  work.notified = shown.number
  for (const notifier of work.notifiers) notifier.tell(noticeOf(work.spec, shown.id, shown.token))
}

/** What consumers are notified of. */
export function noticeOf({ name, path }: ProjectionSpec, revision: string, token: Token): Notice {
  return { projection: name, path, revision, token }
}

/** Puts the reason for a failed show, and what disk shows all the same, into status and log. */
export function reportFailure(work: ProjectionWork, error: unknown, attempt: number): void {
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

/** What disk shows, as the status has it. */
export function shownOf(
  current: NonNullable<ReturnType<OpenProjection["current"]>>,
  clock: Clock,
): ShownRevision {
  const since = new Date(clock.now()).toISOString()
  const source = current.manifest.origins[0]?.source ?? ""
  return { id: current.id, token: current.token, source, number: current.number, since }
}
