import type { Reading, Report } from "./consumer.ts"

/** What a row of the matrix has in one column. */
export interface Cell {
  /** Paced revisions that were published, and how many of them the consumer had read within the limit. */
  paced: number
  noticed: number
  /** Milliseconds from the begin of a publish to the reading, of those that were noticed. */
  delays: number[]
  /** The weakest priority that the programs had meanwhile, as a nice value; the usual one unless given. */
  nice?: number
  /** Flips that were made without waiting. */
  flips: number
  /** Readings in all; those that were torn or of two revisions; those that failed. */
  readings: number
  mixed: number
  unreadable: number
  /** It had read the last revision in the end. */
  isCurrent: boolean
}

/** Collects what consumers report, row by row. */
export interface Recorder {
  report: Report
  /** A revision is about to be published. */
  begin(seq: number): void
  /** When a row had read a revision of at least `seq`, in milliseconds since `begin`; undefined before that. */
  delayOf(row: string, seq: number): number | undefined
  latest(row: string): number
  counts(row: string): Pick<Cell, "readings" | "mixed" | "unreadable">
}

export function createRecorder(): Recorder {
  const rows = new Map<
    string,
    { latest: number; at: number; readings: number; mixed: number; unreadable: number }
  >()
  let now = { seq: 0, at: 0 }

  function rowFor(name: string) {
    const row = rows.get(name) ?? { latest: 0, at: 0, readings: 0, mixed: 0, unreadable: 0 }
    rows.set(name, row)
    return row
  }

  function record(name: string, reading: Reading): void {
    const row = rowFor(name)
    row.readings += 1
    if (reading === "mixed" || reading === "unreadable") {
      row[reading] += 1
      return
    }
    const seq = reading === "noticed" ? now.seq : reading
    if (seq > row.latest) Object.assign(row, { latest: seq, at: performance.now() })
  }

  return {
    report: record,
    begin: (seq) => {
      now = { seq, at: performance.now() }
    },
    delayOf: (name, seq) => {
      const { latest, at } = rowFor(name)
      return latest >= seq ? Math.max(0, at - now.at) : undefined
    },
    latest: (name) => rowFor(name).latest,
    counts: (name) => {
      const { readings, mixed, unreadable } = rowFor(name)
      return { readings, mixed, unreadable }
    },
  }
}
