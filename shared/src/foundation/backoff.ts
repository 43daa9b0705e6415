/** Bounds of a growing wait, in milliseconds. */
export interface Backoff {
  first: number
  limit: number
}

/**
 * The wait before attempt `attempt` (0 is the first retry): "full jitter", uniform between half of and
 * the whole exponential step, so that clients which failed together do not return together.
 * Source: Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 *
 * `random` gives a number in [0, 1).
 */
export function backoffDelay(backoff: Backoff, attempt: number, random: () => number = Math.random): number {
  const step = Math.min(backoff.limit, backoff.first * 2 ** attempt)
  return step / 2 + random() * (step / 2)
}
