import { errorText } from "@headrace/shared/foundation/errors"
import type { Lanes } from "@headrace/shared/lanes/open-lanes"
import { isScheduled, scheduleLane, unscheduleLane } from "@headrace/shared/lanes/schedule-lane"
import type { Log } from "@headrace/shared/observe/log"

const CHECK_MS = 5000

/**
 * Puts the schedule of every lane into Redis whenever that is reached or has lost it, or takes an earlier one back when
 * there is to be none. `pattern` is a cron pattern in UTC. Ends with the signal.
 */
export function keepSchedule(
  lanes: Lanes,
  clusters: readonly string[],
  sources: readonly string[],
  pattern: string | undefined,
  log: Log,
  signal: AbortSignal,
): void {
  async function keep(cluster: string): Promise<void> {
    try {
      if (pattern === undefined) await unscheduleLane(lanes, cluster)
      else await scheduleLane(lanes, cluster, sources, pattern)
    } catch (error) {
      // The watchdog wakes a lane that nobody schedules.
      log.error({ cluster, err: errorText(error) }, "lane could not be scheduled")
    }
  }
  async function restore(cluster: string): Promise<void> {
    if (lanes.trouble()) return
    const scheduled = await isScheduled(lanes, cluster, sources).catch(() => true)
    if (!scheduled && !signal.aborted) await keep(cluster)
  }
  lanes.onOpen(() => {
    if (signal.aborted) return
    for (const cluster of clusters) void keep(cluster)
  })
  if (pattern === undefined) return
  const timer = setInterval(() => {
    for (const cluster of clusters) void restore(cluster)
  }, CHECK_MS)
  signal.addEventListener("abort", () => clearInterval(timer), { once: true })
}
