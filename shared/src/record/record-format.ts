import { RECORD_FORMAT, SourceRecord, SourceRecordV1 } from "./record.ts"

/**
 * The lowest format that can say what a record says. Nothing that format 2 adds is needed while nothing is under way,
 * approved, stopped by a guard or deleted lately: then programs that know format 1 alone read it.
 */
export function formatOf(record: SourceRecord): 1 | typeof RECORD_FORMAT {
  const { approved, intents, stopped, deletions, failures, settings } = record
  const isPlain = approved === null && deletions.length === 0 && failures === null && settings === null
  const isJudged = stopped?.judged !== undefined || intents.some(({ rules }) => rules !== undefined)
  return isPlain && !isJudged ? 1 : RECORD_FORMAT
}

/** A record as it is stored: in its lowest format, without what parsing derives. */
export function storedRecord(record: SourceRecord): unknown {
  const failed = record.failed.map(({ target, reason, since }) => ({ target, reason, since }))
  if (formatOf(record) === RECORD_FORMAT) return { ...record, failed }
  const { approved: _a, deletions: _d, failures: _f, settings: _s, ...common } = record
  return { ...common, format: 1, approved: null, failed }
}

/** A stored record of any format that this version reads. */
export function parseRecord(
  value: unknown,
): { success: true; data: SourceRecord } | { success: false; error: { issues: { message: string }[] } } {
  if ((value as { format?: unknown } | null)?.format !== 1) return SourceRecord.safeParse(value)
  const parsed = SourceRecordV1.safeParse(value)
  if (!parsed.success) return parsed
  const { approved, ...common } = parsed.data
  return {
    success: true,
    data: {
      ...common,
      format: RECORD_FORMAT,
      // Which rules were approved with the commit is not known: none that come from another source were.
      approved: approved === null ? null : { commit: approved, rulesCommit: null, rules: null },
      deletions: [],
      failures: null,
      settings: null,
    },
  }
}
