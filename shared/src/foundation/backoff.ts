/** Bounds of a growing wait, in milliseconds. */
export interface Backoff {
  first: number
  limit: number
}

/**
 * The wait before attempt `attempt` (0 is the first retry): "equal jitter", uniform between half of and
 * the whole exponential step, so that clients which failed together do not return together, and none
 * returns at once.
 * Source: Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 *
 * `random` gives a number in [0, 1).
 */
export function backoffDelay(backoff: Backoff, attempt: number, random: () => number = Math.random): number {
  const step = Math.min(backoff.limit, backoff.first * 2 ** attempt)
  return step / 2 + random() * (step / 2)
}

/** Waits that grow with each failure in a row. */
export interface GrowingWait {
  /** Failures since the start or the last success. */
  failures(): number
  /** Counts a failure and gives the wait before the next try, at least `atLeast` milliseconds. */
  next(atLeast?: number): number
  /** After a success: the next failure is the first again. */
  reset(): void
}

/** For loops that go on for ever. What may give up uses `retry`. */
export function growingWait(backoff: Backoff, random?: () => number): GrowingWait {
  let failures = 0
  return {
    failures: () => failures,
    next(atLeast = 0) {
      const wait = Math.max(atLeast, backoffDelay(backoff, failures, random))
      failures += 1
      return wait
    },
    reset() {
      failures = 0
    },
  }
}
