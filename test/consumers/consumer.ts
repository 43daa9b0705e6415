import type { Site, Through } from "./site.ts"

/**
 * What a consumer has read at one time: a revision, or what is wrong with the reading. `noticed`: it has read, and does not
 * say what, so the newest.
 */
export type Reading = number | "noticed" | "mixed" | "unreadable"

/** Where consumers report what they read, by the row of the matrix. */
export type Report = (row: string, reading: Reading) => void

export interface Running {
  /** Notifies the consumer of a revision, where it has to be notified: `notify` of the agent does it. */
  notify?(): void
  /** False while one of its rows that are awaited drops events, so that it would never notice what changes then. */
  listens?(isAwaited: (row: string) => boolean): boolean
  stop(): Promise<void>
}

/** One program, with the ways in which it follows what is published. */
export interface Consumer {
  name: string
  /** Programs on PATH that it needs. */
  needs: readonly string[]
  through: readonly Through[]
  /** What it has to be sent after each revision. */
  notice?: string
  /** Starts it on all its ways; resolves when it runs. The first reading of each row says that it watches. */
  start(site: Site, report: Report, through: readonly Through[]): Promise<Running>
}

/** The row of a consumer that follows in one way. */
export function rowOf(consumer: string, through: Through): string {
  return `${consumer}, ${through}`
}
