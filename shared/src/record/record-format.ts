import { RECORD_FORMAT, SourceRecord, SourceRecordV1, SourceRecordV2 } from "./record.ts"

/**
 * The lowest format that can say what a record says. Nothing that format 3 adds is needed but for a rollout and what one
 * has left; nothing that format 2 adds while nothing is under way, approved, stopped by a guard or deleted lately. So
 * programs that know a lower format alone read what is at rest.
 */
export function formatOf(record: SourceRecord): 1 | 2 | typeof RECORD_FORMAT {
  const { approved, intents, stopped, deletions, failures, settings, candidate, previous, rejected } = record
  const isStaged = candidate !== null || previous !== null || rejected !== null
  if (isStaged || approved?.lifts !== undefined) return RECORD_FORMAT
  const isPlain = approved === null && deletions.length === 0 && failures === null && settings === null
  const isJudged = stopped?.judged !== undefined || intents.some(({ rules }) => rules !== undefined)
  return isPlain && !isJudged ? 1 : 2
}

/** A record as it is stored: in its lowest format, without what parsing derives. */
export function storedRecord(record: SourceRecord): unknown {
  const failed = record.failed.map(({ target, reason, since }) => ({ target, reason, since }))
  const format = formatOf(record)
  if (format === RECORD_FORMAT) return { ...record, failed }
  const { candidate: _c, previous: _p, rejected: _r, ...since2 } = record
  if (format === 2) return { ...since2, format, failed }
  const { approved: _a, deletions: _d, failures: _f, settings: _s, ...common } = since2
  return { ...common, format, approved: null, failed }
}

/** A stored record of any format that this version reads. */
export function parseRecord(
  value: unknown,
): { success: true; data: SourceRecord } | { success: false; error: { issues: { message: string }[] } } {
  const format = (value as { format?: unknown } | null)?.format
  if (format === 1) return parseFormat1(value)
  if (format !== 2) return SourceRecord.safeParse(value)
  const parsed = SourceRecordV2.safeParse(value)
  if (!parsed.success) return parsed
  return { success: true, data: { ...parsed.data, ...ADDED_BY_3 } }
}

const ADDED_BY_3 = { format: RECORD_FORMAT, candidate: null, previous: null, rejected: null } as const

function parseFormat1(value: unknown): ReturnType<typeof parseRecord> {
  const parsed = SourceRecordV1.safeParse(value)
  if (!parsed.success) return parsed
  const { approved, ...common } = parsed.data
  return {
    success: true,
    data: {
      ...common,
      ...ADDED_BY_3,
      // Which rules were approved with the commit is not known: none that come from another source were.
      approved: approved === null ? null : { commit: approved, rulesCommit: null, rules: null },
      deletions: [],
      failures: null,
      settings: null,
    },
  }
}
