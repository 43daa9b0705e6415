import { type Backoff, backoffDelay } from "../foundation/backoff.ts"
import type { LaneQueue } from "./open-lanes.ts"
import type { WakeUp } from "./wake-up.ts"

const RETRY: Backoff = { first: 1000, limit: 60_000 }

/**
 * Lets a wake-up that failed come again after a wait that grows with `failures` in a row.
 *
 * It comes as a job of its own, not as BullMQ's retry of the same one: that would lie in wait under the
 * wake-up's own name and swallow newer ones for as long. So a new merge is tried at once, always, and at
 * most one retry of each source and mode waits.
 */
export async function scheduleRetry(queue: LaneQueue, wakeUp: WakeUp, failures: number): Promise<void> {
  await queue.add(
    "retry",
    { wakeUp, failures },
    {
      delay: Math.round(backoffDelay(RETRY, failures - 1)),
      deduplication: { id: `retry/${wakeUp.source}/${wakeUp.mode}`, keepLastIfActive: true },
    },
  )
}
