import type { Lanes } from "./open-lanes.ts"
import { LANES_FORMAT, rolloutLookName } from "./wake-up.ts"

/**
 * Wakes a lane after so many milliseconds, to look again at a rollout of a source. One such wake-up of a source waits; the
 * record says what there is to do, so that a lost one costs a delay until the next poll.
 */
export async function wakeForRollout(
  lanes: Lanes,
  cluster: string,
  source: string,
  delay: number,
): Promise<void> {
  const wakeUp = { format: LANES_FORMAT, source, mode: "incremental", reason: "rollout" } as const
  const deduplication = { id: rolloutLookName(source), replace: true, keepLastIfActive: true }
  await lanes.queue(cluster).add("rollout", { wakeUp, failures: 0 }, { delay, deduplication })
}
