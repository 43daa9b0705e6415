import { type Backoff, backoffDelay } from "../foundation/backoff.ts"
import type { LaneQueue } from "./open-lanes.ts"
import { retryName, type WakeUp } from "./wake-up.ts"

const RETRY: Backoff = { first: 1000, limit: 60_000 }
/** Of a source that the settings of its worker lack: another plugin may have got newer ones already. */
const MOST_OF_UNKNOWN = 3

/**
 * Lets a wake-up that failed come again after a wait that grows with `failures` in a row; for ever, but for a
 * source that is no longer in the settings, which would fail for ever, too.
 *
 * It comes as a job of its own, not as BullMQ's retry of the same one: that would lie in wait under the
 * wake-up's own name and swallow newer ones for as long. So a new merge is tried at once, always, and at
 * most one retry of each source and mode waits.
 */
export async function scheduleRetry(
  queue: LaneQueue,
  wakeUp: WakeUp,
  failures: number,
  code: string | undefined,
): Promise<void> {
  if (code === "settings/unknown-source" && failures >= MOST_OF_UNKNOWN) return
  await queue.add(
    "retry",
    { wakeUp, failures },
    {
      delay: Math.round(backoffDelay(RETRY, failures - 1)),
      deduplication: { id: retryName(wakeUp), keepLastIfActive: true },
    },
  )
}
