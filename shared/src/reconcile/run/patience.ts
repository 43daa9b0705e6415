import { backoffDelay } from "../../foundation/backoff.ts"
import type { Clock } from "../../foundation/clock.ts"
import { isTransient } from "../../kube/kube-error.ts"

const BACKOFF = { first: 100, limit: 5_000 }
/** A server that asks for more is left to the lane's next try. */
const LONGEST_WAIT_MS = 30_000
/** Waits for what may pass by itself; more would hold up the lane, which tries again anyway. */
const TRANSIENT_TRIES = 4
/** Goes at what others write at the same time. */
const RACE_TRIES = 12

/** Counts the tries of one thing that is worth repeating. */
export interface Patience {
  /** After a transient error: waits, at least as long as the server asked for (30 s at most). Rethrows it in the end. */
  afterFailure(error: unknown): Promise<void>
  /** After a lost race: no wait. Rethrows the error when it keeps happening. */
  afterRace(error: unknown): void
}

/** A fresh count. Errors that are not transient are rethrown at once by `afterFailure`. */
export function startPatience(clock: Clock, signal: AbortSignal): Patience {
  let failures = 0
  let races = 0
  return {
    async afterFailure(error) {
      signal.throwIfAborted()
      if (!isTransient(error) || failures + 1 >= TRANSIENT_TRIES) throw error
      const asked = Math.min(error.retryAfter ?? 0, LONGEST_WAIT_MS)
      const wait = Math.max(backoffDelay(BACKOFF, failures), asked)
      failures += 1
      await clock.sleep(wait, signal)
    },
    afterRace(error) {
      signal.throwIfAborted()
      races += 1
      if (races >= RACE_TRIES) throw error
    },
  }
}
