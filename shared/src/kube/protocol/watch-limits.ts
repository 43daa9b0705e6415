/** How long a watch may last and be silent, in milliseconds. */
export interface WatchLimits {
  /** The server is asked to end it after this, plus up to a quarter, so that clients do not return together. */
  duration: number
  /** Nothing at all for this long, not even a bookmark: it is opened again from the last version seen. */
  silence: number
}

/**
 * kube-apiserver sends a bookmark about each minute, but none while nothing of the kind has ever changed:
 * silence is not an error, only a reason to ask again.
 */
export const WATCH_LIMITS: WatchLimits = { duration: 240_000, silence: 150_000 }

/** `timeoutSeconds` of one watch. `random` gives a number in [0, 1). */
export function watchSeconds(limits: WatchLimits, random: () => number = Math.random): number {
  return Math.ceil((limits.duration * (1 + random() / 4)) / 1000)
}
