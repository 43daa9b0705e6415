import { HeadraceError } from "../foundation/errors.ts"
import type { Lanes } from "./open-lanes.ts"
import { LANES_FORMAT, type LaneJob } from "./wake-up.ts"

/**
 * Lets a lane be woken for a full reconcile of each source by a cron pattern (UTC; five fields, or six with
 * seconds), and no source besides. Every plugin may call this, at every start. Throws `lanes/schedule` for a pattern that does not
 * read, or when the scheduler was lost again at once (BullMQ issues 3063 and 3381 tell of such races).
 *
 * A pattern, never BullMQ's `every`: that one stops with two processes (BullMQ issue 3262).
 */
export async function scheduleLane(
  lanes: Lanes,
  cluster: string,
  sources: readonly string[],
  pattern: string,
): Promise<void> {
  const queue = lanes.queue(cluster)
  await unscheduleOthers(lanes, cluster, sources)
  for (const source of sources) {
    const id = schedulerId(source)
    const wakeUp = { format: LANES_FORMAT, source, mode: "full", reason: "schedule" } as const
    const data: LaneJob = { wakeUp, failures: 0 }
    try {
      await queue.upsertJobScheduler(id, { pattern, tz: "UTC" }, { name: "scheduled", data })
    } catch (cause) {
      throw scheduleError(`lane ${cluster} cannot be scheduled by "${pattern}"`, cause)
    }
    const scheduled = await queue.getJobScheduler(id)
    if (!scheduled?.next) throw scheduleError(`the schedule of ${source} in lane ${cluster} was lost`)
  }
}

/** Takes every schedule of a lane back. */
export async function unscheduleLane(lanes: Lanes, cluster: string): Promise<void> {
  await unscheduleOthers(lanes, cluster, [])
}

/** Schedules of sources that the settings had once. */
async function unscheduleOthers(lanes: Lanes, cluster: string, sources: readonly string[]): Promise<void> {
  const queue = lanes.queue(cluster)
  const ours = new Set(sources.map(schedulerId))
  for (const { key } of await queue.getJobSchedulers()) {
    if (!ours.has(key)) await queue.removeJobScheduler(key)
  }
}

function schedulerId(source: string): string {
  return `full-${source}`
}

function scheduleError(message: string, cause?: unknown): HeadraceError {
  return new HeadraceError("lanes/schedule", message, {
    hint: 'Write a cron pattern such as "0 * * * *" (hourly).',
    cause,
  })
}
