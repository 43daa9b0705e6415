import { setTimeout as delay } from "node:timers/promises"

/** Time as a dependency, so that tests own it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Waits; rejects with the signal's reason when aborted. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>
}

/** Clocks of machines that are kept in time differ by less. */
export const CLOCK_SLACK_MS = 300_000

/** Node's timers count milliseconds in 32 bits, and take a longer wait for one of 1 ms: about 24.8 days. */
export const LONGEST_WAIT_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  async sleep(milliseconds, signal) {
    signal?.throwIfAborted()
    await delay(Math.min(milliseconds, LONGEST_WAIT_MS), undefined, signal ? { signal } : {}).catch(
      (error: unknown) => {
        signal?.throwIfAborted()
        throw error
      },
    )
  },
}
