import { type Backoff, growingWait } from "./backoff.ts"
import type { Clock } from "./clock.ts"

export interface RetryPolicy {
  /** Tries in all. */
  attempts: number
  backoff: Backoff
  /** Milliseconds after the first try began; no other try begins later. Absent: no limit. */
  deadline?: number
  clock: Clock
}

/** Tries that an error has cost inside a retry that gave it up. */
const spent = new WeakMap<object, number>()

/**
 * Calls until it succeeds, or fails in a way that is final, or attempts or time are used up; then throws the
 * last error. `waitAfter` gives the least wait in milliseconds that a failure asks for (0: none of its own);
 * undefined: another try is useless or harmful. An abort ends it with the signal's reason.
 *
 * Retries do not multiply: the tries that an inner retry has made before it threw count here too. So an
 * error that one retry gave up on is final to every retry around it with as many attempts.
 */
export async function retry<T>(
  policy: RetryPolicy,
  waitAfter: (error: unknown) => number | undefined,
  signal: AbortSignal | undefined,
  call: () => Promise<T>,
): Promise<T> {
  const { attempts, clock, deadline = Number.POSITIVE_INFINITY } = policy
  const waits = growingWait(policy.backoff)
  const end = clock.now() + deadline
  let tries = 0
  for (;;) {
    try {
      return await call()
    } catch (error) {
      signal?.throwIfAborted()
      tries += triesOf(error)
      const least = waitAfter(error)
      if (least === undefined || tries >= attempts) throw markTries(error, tries)
      const wait = waits.next(least)
      if (clock.now() + wait > end) throw markTries(error, tries)
      await clock.sleep(wait, signal)
    }
  }
}

/** Makes an error final to every retry around it. Gives the error. */
export function markFinal(error: unknown): unknown {
  return markTries(error, Number.POSITIVE_INFINITY)
}

/** True for an error that `markFinal` has marked. */
export function isFinal(error: unknown): boolean {
  return triesOf(error) === Number.POSITIVE_INFINITY
}

function triesOf(error: unknown): number {
  return (error instanceof Object ? spent.get(error) : undefined) ?? 1
}

function markTries(error: unknown, tries: number): unknown {
  if (error instanceof Object) spent.set(error, tries)
  return error
}
