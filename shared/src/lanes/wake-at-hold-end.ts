import type { Lanes } from "./open-lanes.ts"
import { holdEndName, LANES_FORMAT } from "./wake-up.ts"

/**
 * Wakes a lane when the hold of a source ends, at `until` (milliseconds since the epoch, by this machine's clock, as
 * reconcile judges it). Calling it again moves the time; one of a source waits.
 */
export async function wakeAtHoldEnd(
  lanes: Lanes,
  cluster: string,
  source: string,
  until: number,
): Promise<void> {
  const wakeUp = { format: LANES_FORMAT, source, mode: "incremental", reason: "hold-end" } as const
  // A job that waits is replaced: the hold may have got another end. One that is worked is followed by this.
  const deduplication = { id: holdEndName(source), replace: true, keepLastIfActive: true }
  const delay = Math.max(0, until - Date.now())
  await lanes.queue(cluster).add("hold-end", { wakeUp, failures: 0 }, { delay, deduplication })
}
