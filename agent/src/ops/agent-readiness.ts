import type { Readiness } from "@headrace/shared/observe/ops-routes"
import type { SourceRecord } from "@headrace/shared/record/record"
import { compareTokens, tokenText } from "@headrace/shared/record/token"
import type { ProjectionStatus } from "../report/projection-status.ts"
import { RECORD_FEED, type WatchStatus } from "../watch/watch-status.ts"

/**
 * Ready when every projection shows a verified revision, those of the record at the token of the newest one read; else
 * a line for each thing that is missing. `record` is "none" when the agent follows none. An API server that went away
 * later does not unmake it: last good stays.
 */
export function agentReadiness(
  record: SourceRecord | undefined | "none",
  watch: WatchStatus,
  projections: readonly ProjectionStatus[],
): Readiness {
  const reasons = watch.record === undefined ? [] : [watch.record]
  if (record === undefined && reasons.length === 0) reasons.push(unread(watch))
  for (const [what, { heard, problem }] of watch.feeds) {
    const isNews = what !== RECORD_FEED && heard === undefined && problem !== undefined
    if (isNews) reasons.push(`${what} not read yet: ${problem}`)
  }
  for (const projection of projections) {
    const reason = projectionReason(projection, record === "none" ? undefined : record)
    if (reason !== undefined) reasons.push(`projection ${projection.name}: ${reason}`)
  }
  return { ready: reasons.length === 0, reasons }
}

function unread(watch: WatchStatus): string {
  return `record not read yet: ${watch.feeds.get(RECORD_FEED)?.problem ?? "waiting for the API server"}`
}

function projectionReason(
  projection: ProjectionStatus,
  record: SourceRecord | undefined,
): string | undefined {
  const { shown, current, problem, ofRecord } = projection
  if (problem) return `${problem.message} [${problem.code}] since ${problem.since}`
  if (!current) return shown ? `shows ${shown.id} and moves to a newer revision` : "shows nothing yet"
  // Tokens of a git branch, or counted by ourselves, are no record's.
  if (!shown || !record || !ofRecord || compareTokens(shown.token, record.token) >= 0) return undefined
  return `shows ${tokenText(shown.token)}, the record is at ${tokenText(record.token)}`
}
