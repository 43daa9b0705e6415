import { errorText } from "@headrace/shared/foundation/errors"
import type { Lanes } from "@headrace/shared/lanes/open-lanes"
import { scheduleLane, unscheduleLane } from "@headrace/shared/lanes/schedule-lane"
import type { Log } from "@headrace/shared/observe/log"

/**
 * Puts the schedule of every lane into Redis whenever that is reached, or takes an earlier one back when
 * there is to be none. `pattern` is a cron pattern in UTC.
 */
export function keepSchedule(
  lanes: Lanes,
  clusters: readonly string[],
  sources: readonly string[],
  pattern: string | undefined,
  log: Log,
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
  lanes.onOpen(() => {
    for (const cluster of clusters) void keep(cluster)
  })
}
