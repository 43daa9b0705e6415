import { holdInForce } from "@headrace/shared/record/goal"
import type { SourceRecord } from "@headrace/shared/record/record"
import { ALL_NODES } from "@headrace/shared/record/rollout-state"

/** A cluster source. */
export interface Place {
  cluster: string
  source: string
}

/** What the record of a cluster source said when this replica last read it. */
export interface KnownRecord {
  /** Undefined: the cluster has none. */
  record: SourceRecord | undefined
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
  /** The rollout under way: its stage from 1, the share of nodes that it is for, and since when (milliseconds). */
  rollout: { stage: number; share: number; since: number } | undefined
  /** Why the last rollout returned, as an error code. */
  rejected: string | undefined
}

/**
 * The records as this replica last read them, whichever replica works the lanes: what a replica remembers of its own runs
 * is wrong as soon as another one has run.
 */
export interface KnownRecords {
  /** Announces a place whose record is about to be read. */
  expect(place: Place): void
  note(place: Place, known: KnownRecord): void
  /** `now` is milliseconds since the epoch: a hold can have ended since. */
  readings(now: number): RecordReading[]
}

const NOT_READ: KnownRecord = { record: undefined, behind: undefined, readAt: 0 }

export function createKnownRecords(): KnownRecords {
  const records = new Map<string, { place: Place; known: KnownRecord }>()
  return {
    expect: (place) => records.set(keyOf(place), { place, known: NOT_READ }),
    note: (place, known) => records.set(keyOf(place), { place, known }),
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
  const staged = { rollout: rolloutOf(record), rejected: record?.rejected?.code }
  const shown = { cluster, source, behind, readAt, ...staged }
  if (record === undefined) return { ...shown, held: false, stopped: undefined, failed: 0 }
  const { hold, stopped, failed, failedMore } = record
  const held = hold !== null && holdInForce(hold, now)
  return { ...shown, held, stopped: stopped?.code, failed: failed.length + failedMore }
}

function rolloutOf(record: SourceRecord | undefined): RecordReading["rollout"] {
  if (!record?.candidate) return undefined
  const { stage, bound, since } = record.candidate
  return { stage: stage + 1, share: bound / ALL_NODES, since: Date.parse(since) }
}
