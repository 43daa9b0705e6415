import { z } from "zod"

/** The format of wake-ups, outcomes and deliveries in Redis that this version writes. */
export const LANES_FORMAT = 1

/** A record is a ConfigMap of the source's name: no source has a longer one. */
const MOST_SOURCE = 253
const MOST_REASON = 100

/** `full` rebuilds every target; `incremental` those whose files changed. */
export const MODES = ["incremental", "full"] as const

/** "Look again": all that ever travels through a lane. It carries no content, so a lost one costs a delay. */
export const WakeUp = z.strictObject({
  format: z.literal(LANES_FORMAT),
  source: z.string().max(MOST_SOURCE),
  mode: z.enum(MODES),
  /** Who asked: `webhook`, `poll`, `schedule`, `operator`, for the log alone. */
  reason: z.string().max(MOST_REASON),
})
export type WakeUp = z.infer<typeof WakeUp>

/** A wake-up as it lies in the queue. */
export const LaneJob = z.strictObject({
  wakeUp: WakeUp,
  /** How many times in a row this has failed before. */
  failures: z.int().min(0),
})
export type LaneJob = z.infer<typeof LaneJob>

/** The deduplication name of wake-ups of a source and mode: at most one of them waits. */
export function wakeUpName({ source, mode }: Pick<WakeUp, "source" | "mode">): string {
  return `${source}/${mode}`
}

/** The deduplication name of their retry. */
export function retryName(wakeUp: Pick<WakeUp, "source" | "mode">): string {
  return `retry/${wakeUpName(wakeUp)}`
}

/** The same of one that comes rarely: it lies in wait for minutes, and must not take in one that is to come soon. */
export function rareRetryName(wakeUp: Pick<WakeUp, "source" | "mode">): string {
  return `rare-retry/${wakeUpName(wakeUp)}`
}

/** The deduplication name of the wake-up at the end of a source's hold. */
export function holdEndName(source: string): string {
  return `hold-end/${source}`
}

/** The deduplication name of the next look at a source's rollout. */
export function rolloutLookName(source: string): string {
  return `rollout/${source}`
}
