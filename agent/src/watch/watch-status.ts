/** How one watch of the API server is doing. */
export interface FeedStatus {
  /** When it began, milliseconds since the epoch. */
  began: number
  /** When it last heard from the server, milliseconds since the epoch; undefined: never. */
  heard?: number | undefined
  /** What keeps it from reading the API server now. */
  problem?: string | undefined
}

/** How what is followed is doing, each by itself: one that works hides no other that fails. */
export interface WatchStatus {
  /** By what is followed, as the log names it. */
  feeds: Map<string, FeedStatus>
  /** What keeps git sources that were read before from being read now, by what is followed. */
  gitTroubles: Map<string, string>
  /** What is wrong with the record that was read. */
  record?: string | undefined
}

/** The name of the record's feed. */
export const RECORD_FEED = "the record"

/** Since when the feed that is silent for longest has heard nothing, milliseconds since the epoch. */
export function silentSince({ feeds }: WatchStatus): number | undefined {
  if (feeds.size === 0) return undefined
  return Math.min(...[...feeds.values()].map(({ heard, began }) => heard ?? began))
}
