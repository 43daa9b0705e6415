import { holdInForce } from "@headrace/shared/record/goal"
import type { SourceRecord } from "@headrace/shared/record/record"

/** A cluster source. */
export interface Place {
  cluster: string
  source: string
}

/** What the record of a cluster source said when this replica last read it. */
export interface KnownRecord {
  record: SourceRecord
  /** Commits of the branch that it does not show; undefined: the branch was not read yet. */
  behind: number | undefined
  /** Milliseconds since the epoch. */
  readAt: number
}

/** What the metrics show of one record. */
export interface RecordReading extends Place {
  held: boolean
  stopped: string | undefined
  failed: number
  behind: number | undefined
  readAt: number
}

/**
 * The records as this replica last read them, whichever replica works the lanes: what a replica remembers of its own runs
 * is wrong as soon as another one has run.
 */
export interface KnownRecords {
  note(place: Place, known: KnownRecord): void
  /** To be called when a cluster has no record of a source. */
  forget(place: Place): void
  /** `now` is milliseconds since the epoch: a hold can have ended since. */
  readings(now: number): RecordReading[]
}

export function createKnownRecords(): KnownRecords {
  const records = new Map<string, { place: Place; known: KnownRecord }>()
  return {
    note: (place, known) => records.set(keyOf(place), { place, known }),
    forget: (place) => records.delete(keyOf(place)),
    readings: (now) => [...records.values()].map(({ place, known }) => readingOf(place, known, now)),
  }
}

function keyOf({ cluster, source }: Place): string {
  return `${cluster} ${source}`
}

function readingOf(
  { cluster, source }: Place,
  { record, behind, readAt }: KnownRecord,
  now: number,
): RecordReading {
  const { hold, stopped, failed, failedMore } = record
  return {
    cluster,
    source,
    held: hold !== null && holdInForce(hold, now),
    stopped: stopped?.code,
    failed: failed.length + failedMore,
    behind,
    readAt,
  }
}
