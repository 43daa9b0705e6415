import type { Readiness } from "@headrace/shared/observe/ops-routes"
import type { SourceRecord } from "@headrace/shared/record/record"
import { compareTokens, tokenText } from "@headrace/shared/record/token"
import type { ProjectionStatus } from "../report/projection-status.ts"
import { RECORD_FEED, type WatchStatus } from "../watch/watch-status.ts"

/** As many files as are named of a projection. */
const MOST_NAMED = 10

/**
 * Ready while every projection shows a verified revision, old or new: what keeps a newer one back (a veto, a rejected
 * path, a source that cannot be reached, a hook at work) is among the reasons and takes no consumer out of service.
 * `/readyz?current` and `--once` ask that there be no reason: those of the record at the token of the newest one read.
 * `record` is "none" when the agent follows none.
 */
export function agentReadiness(
  record: SourceRecord | undefined | "none",
  watch: WatchStatus,
  projections: readonly ProjectionStatus[],
): Readiness {
  const reasons = watch.record === undefined ? [] : [watch.record]
  if (record === undefined && reasons.length === 0) reasons.push(unread(watch))
  for (const [what, { heard, problem }] of watch.feeds) {
    if (problem === undefined) continue
    if (heard !== undefined) reasons.push(`${what} cannot be read: ${problem}`)
    else if (what !== RECORD_FEED) reasons.push(`${what} not read yet: ${problem}`)
  }
  for (const [what, problem] of watch.gitTroubles) reasons.push(`${what} cannot be read: ${problem}`)
  const followed = record === "none" ? undefined : record
  reasons.push(...projections.flatMap((projection) => projectionReasons(projection, followed)))
  return { ready: projections.length > 0 && projections.every(isShowing), reasons }
}

function isShowing({ shown, damage, isFound }: ProjectionStatus): boolean {
  return isFound === true || (shown !== undefined && damage === undefined)
}

function unread(watch: WatchStatus): string {
  return `record not read yet: ${watch.feeds.get(RECORD_FEED)?.problem ?? "waiting for the API server"}`
}

function projectionReasons(projection: ProjectionStatus, record: SourceRecord | undefined): string[] {
  const reason = projectionReason(projection, record)
  const leftOut = (projection.leftOut ?? []).slice(0, MOST_NAMED)
  return [...(reason === undefined ? [] : [reason]), ...leftOut].map(
    (text) => `projection ${projection.name}: ${text}`,
  )
}

function projectionReason(
  projection: ProjectionStatus,
  record: SourceRecord | undefined,
): string | undefined {
  const { shown, current, problem, ofRecord, damage } = projection
  if (damage !== undefined) return `${damage}${problem ? `; ${problem.message} [${problem.code}]` : ""}`
  if (problem) return `${problem.message} [${problem.code}] since ${problem.since}`
  if (!current) return shown ? `shows ${shown.id} and moves to a newer revision` : "shows nothing yet"
  // Tokens of a git branch, or counted by ourselves, are no record's.
  if (!shown || !record || !ofRecord || compareTokens(shown.token, record.token) >= 0) return undefined
  return `shows ${tokenText(shown.token)}, the record is at ${tokenText(record.token)}`
}
