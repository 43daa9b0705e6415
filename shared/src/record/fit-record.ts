import { canonicalJson } from "../foundation/canonical-json.ts"
import { bounded } from "../gates/guard/past-deletions.ts"
import type { SourceRecord } from "./record.ts"
import { storedRecord } from "./record-format.ts"
import type { Candidate } from "./rollout-state.ts"

/** What a record may measure as JSON: every agent watches it, so it stays small (design, "record"). */
export const RECORD_LIMIT_BYTES = 4096

/** More failed targets never fit, however short their texts: the search for how many do starts here. */
const MOST_FAILED = Math.floor(RECORD_LIMIT_BYTES / '{"reason":"","since":"","target":""}'.length)
/** Bytes of a text as JSON. */
const REASON_LIMIT = 160
const REASON_LIMIT_TIGHT = 60
const STOP_LIMIT = 400
const SHORTEST = 24

/**
 * The same record within RECORD_LIMIT_BYTES. What is cut stays true, and what others decide by is never cut. In order:
 *
 * 1. long texts end with "…";
 * 2. what other programs wrote is left out, which nothing rests on;
 * 3. an intent that lists too many targets says "all";
 * 4. reasons of failed targets get shorter, then failed targets beyond the room are counted in `failedMore`: the object
 *    that `failures` names lists them all, and where it is lost the next reconcile looks at every target;
 * 5. past deletions become one, which counts for as long as the latest;
 * 6. the oldest history goes;
 * 7. texts for people alone get as short as they can.
 *
 * What a rollout decides by (`candidate`, `previous`, `rejected`) never gives way, but for the words of its texts.
 */
export function fitRecord(record: SourceRecord): SourceRecord {
  const whole = withoutLongTexts(record)
  return fits(whole) ? whole : cutRecord(whole)
}

/** The record as its ConfigMap keeps it: canonical JSON within RECORD_LIMIT_BYTES, without what parsing derives. */
export function recordJson(record: SourceRecord): string {
  const whole = withoutLongTexts(record)
  const json = storedJson(whole)
  return isWithinLimit(json) ? json : storedJson(cutRecord(whole))
}

function withoutLongTexts(record: SourceRecord): SourceRecord {
  return shortTexts(withFailed(record, MOST_FAILED), REASON_LIMIT)
}

function cutRecord(record: SourceRecord): SourceRecord {
  let fitted: SourceRecord = { ...record, foreign: [] }
  if (fits(fitted)) return fitted
  fitted = { ...fitted, intents: fitted.intents.map((intent) => ({ ...intent, targets: "all" as const })) }
  if (fits(fitted)) return fitted
  fitted = shortTexts(fitted, REASON_LIMIT_TIGHT)
  while (!fits(fitted) && fitted.failed.length > 0) fitted = withFailed(fitted, fitted.failed.length - 1)
  if (!fits(fitted)) fitted = { ...fitted, deletions: bounded(fitted.deletions, 1) }
  while (!fits(fitted) && fitted.history.length > 0) {
    fitted = { ...fitted, history: fitted.history.slice(0, -1) }
  }
  return fits(fitted) ? fitted : shortestTexts(fitted)
}

function storedJson(record: SourceRecord): string {
  return canonicalJson(storedRecord(record))
}

/** True when `failed` would be cut, so that the whole list needs an object of its own. */
export function isCut(record: SourceRecord): boolean {
  return fitRecord(record).failedMore > 0
}

function fits(record: SourceRecord): boolean {
  return isWithinLimit(storedJson(record))
}

function isWithinLimit(json: string): boolean {
  return Buffer.byteLength(json) < RECORD_LIMIT_BYTES
}

/** At most `most` failed targets, the others counted. */
function withFailed(record: SourceRecord, most: number): SourceRecord {
  const more = Math.max(0, record.failed.length - most)
  return { ...record, failed: record.failed.slice(0, most), failedMore: record.failedMore + more }
}

function shortTexts(record: SourceRecord, reasonLimit: number): SourceRecord {
  return {
    ...record,
    failed: record.failed.map((failure) => ({
      ...failure,
      reason: shortReason(failure.reason, reasonLimit),
    })),
    stopped: record.stopped && { ...record.stopped, message: shortText(record.stopped.message, STOP_LIMIT) },
    hold: record.hold && {
      ...record.hold,
      by: shortText(record.hold.by, REASON_LIMIT_TIGHT),
      reason: shortText(record.hold.reason, REASON_LIMIT),
    },
    candidate: record.candidate && shortWord(record.candidate, REASON_LIMIT_TIGHT),
    rejected: record.rejected && {
      ...record.rejected,
      reason: shortText(record.rejected.reason, REASON_LIMIT),
    },
  }
}

function shortestTexts(record: SourceRecord): SourceRecord {
  const { stopped, hold, candidate, rejected } = record
  return {
    ...record,
    stopped: stopped && { ...stopped, message: shortText(stopped.message, REASON_LIMIT_TIGHT) },
    hold: hold && { ...hold, by: shortText(hold.by, SHORTEST), reason: shortText(hold.reason, SHORTEST) },
    candidate: candidate && shortWord(candidate, SHORTEST),
    rejected: rejected && { ...rejected, reason: shortText(rejected.reason, REASON_LIMIT_TIGHT) },
  }
}

function shortWord(candidate: Candidate, limit: number): Candidate {
  const { word } = candidate
  if (word === null) return candidate
  return {
    ...candidate,
    word: { ...word, by: shortText(word.by, limit), reason: shortText(word.reason, limit) },
  }
}

/** A reason may end with its code in brackets, which says how the target is tried again: the cut is before it. */
export function shortReason(reason: string, limit: number): string {
  if (reason.length <= limit) return reason
  const code = / \[[a-z-]+\/[a-z-]+\]$/.exec(reason)?.[0] ?? ""
  return code.length < limit
    ? `${reason.slice(0, limit - 1 - code.length)}…${code}`
    : shortText(reason, limit)
}

/** Measured as JSON, where one character may take six bytes. */
function shortText(text: string, limit: number): string {
  if (jsonBytes(text) <= limit) return text
  let cut = text.slice(0, limit - 1)
  while (jsonBytes(cut) > limit - 3) cut = cut.slice(0, -1)
  return `${cut}…`
}

function jsonBytes(text: string): number {
  return Buffer.byteLength(JSON.stringify(text)) - 2
}
