import { canonicalJson } from "../foundation/canonical-json.ts"
import type { SourceRecord } from "./record.ts"

/** What a record may measure as JSON: every agent watches it, so it stays small (design, "record"). */
export const RECORD_LIMIT_BYTES = 4096

/** More failed targets never fit, however short their texts: the search for how many do starts here. */
const MOST_FAILED = Math.floor(RECORD_LIMIT_BYTES / '{"reason":"","since":"","target":""}'.length)
const REASON_LIMIT = 160
const REASON_LIMIT_TIGHT = 60
const STOP_LIMIT = 400

/**
 * The same record within RECORD_LIMIT_BYTES. What is cut stays true: a long text ends with "…", an intent
 * that lists too many targets says "all", failed targets beyond the room are counted in `failedMore`
 * (which makes the next reconcile look at every target), and the oldest history goes last. What others wrote,
 * which nothing rests on, goes first.
 */
export function fitRecord(record: SourceRecord): SourceRecord {
  let fitted = shortTexts(withFailed(record, MOST_FAILED), REASON_LIMIT)
  if (fits(fitted)) return fitted
  fitted = { ...fitted, foreign: [] }
  if (fits(fitted)) return fitted
  fitted = { ...fitted, intents: fitted.intents.map((intent) => ({ ...intent, targets: "all" as const })) }
  if (fits(fitted)) return fitted
  fitted = shortTexts(fitted, REASON_LIMIT_TIGHT)
  while (!fits(fitted) && fitted.failed.length > 0) fitted = withFailed(fitted, fitted.failed.length - 1)
  while (!fits(fitted) && fitted.history.length > 0) {
    fitted = { ...fitted, history: fitted.history.slice(0, -1) }
  }
  return fitted
}

/** The record as its ConfigMap keeps it: canonical JSON within RECORD_LIMIT_BYTES, without what parsing derives. */
export function recordJson(record: SourceRecord): string {
  return storedJson(fitRecord(record))
}

function storedJson(record: SourceRecord): string {
  const failed = record.failed.map(({ target, reason, since }) => ({ target, reason, since }))
  return canonicalJson({ ...record, failed })
}

function fits(record: SourceRecord): boolean {
  return Buffer.byteLength(storedJson(record)) < RECORD_LIMIT_BYTES
}

/** At most `most` failed targets, the others counted. */
function withFailed(record: SourceRecord, most: number): SourceRecord {
  const more = Math.max(0, record.failed.length - most)
  return { ...record, failed: record.failed.slice(0, most), failedMore: record.failedMore + more }
}

function shortTexts(record: SourceRecord, reasonLimit: number): SourceRecord {
  return {
    ...record,
    failed: record.failed.map((failure) => ({ ...failure, reason: shortText(failure.reason, reasonLimit) })),
    stopped: record.stopped && { ...record.stopped, message: shortText(record.stopped.message, STOP_LIMIT) },
    hold: record.hold && {
      ...record.hold,
      by: shortText(record.hold.by, REASON_LIMIT_TIGHT),
      reason: shortText(record.hold.reason, REASON_LIMIT),
    },
  }
}

function shortText(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit - 1)}…`
}
