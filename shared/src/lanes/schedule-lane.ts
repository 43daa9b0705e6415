import { HeadraceError } from "../foundation/errors.ts"
import type { Lanes } from "./open-lanes.ts"
import { LANES_FORMAT, type LaneJob } from "./wake-up.ts"

/**
 * Lets a lane be woken for a full reconcile of each source by a cron pattern (UTC; five fields, or six with
 * seconds), and no source besides. Every plugin may call this, at every start. Throws `lanes/schedule` for a pattern that does not
 * read, or when the scheduler was lost again at once (BullMQ issues 3063 and 3381 describe such races).
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
    // What is left of a schedule that Redis has lost a part of keeps BullMQ from making it again.
    await checkSchedule(lanes, cluster, [source], "remove")
    try {
      await queue.upsertJobScheduler(id, { pattern, tz: "UTC" }, { name: "scheduled", data })
    } catch (cause) {
      throw scheduleError(`lane ${cluster} cannot be scheduled by "${pattern}"`, cause)
    }
    const scheduled = await queue.getJobScheduler(id)
    if (!scheduled?.next) throw scheduleError(`the schedule of ${source} in lane ${cluster} was lost`)
  }
}

/** False when Redis has lost a part of the schedule of a source, or all of it. */
export async function isScheduled(
  lanes: Lanes,
  cluster: string,
  sources: readonly string[],
): Promise<boolean> {
  return (await checkSchedule(lanes, cluster, sources, "keep")) === 1
}

function checkSchedule(
  lanes: Lanes,
  cluster: string,
  sources: readonly string[],
  remains: "keep" | "remove",
): Promise<unknown> {
  const base = lanes.queue(cluster).toKey("")
  return lanes.redis.eval(CHECK, 1, `${base}repeat`, base, remains, ...sources.map(schedulerId))
}

/**
 * Gives 1 when all schedules are whole. BullMQ 6 keeps of each a member of the sorted set `repeat` with the next time
 * as its score, the hash `repeat:ID`, and the job of that time, `repeat:ID:TIME`; a job that is worked has scheduled
 * the next one before. ARGV: first part of the queue's keys, what becomes of a schedule of which a part is lost, ids.
 */
const CHECK = `
  local base = ARGV[1]
  local listed = {}
  for _, list in ipairs({ "wait", "active" }) do
    for _, id in ipairs(redis.call("LRANGE", base .. list, 0, -1)) do listed[id] = list end
  end
  for _, id in ipairs(redis.call("ZRANGE", base .. "delayed", 0, -1)) do listed[id] = "delayed" end

  local function remove(id, job)
    redis.call("ZREM", base .. "repeat", id)
    redis.call("DEL", base .. "repeat:" .. id)
    if job then redis.call("DEL", base .. job) end
    for other, list in pairs(listed) do
      if list ~= "active" and string.sub(other, 1, #id + 8) == "repeat:" .. id .. ":" then
        redis.call("DEL", base .. other)
        redis.call("LREM", base .. "wait", 0, other)
        redis.call("ZREM", base .. "delayed", other)
      end
    end
  end

  local whole = 1
  for i = 3, #ARGV do
    local id = ARGV[i]
    local next = redis.call("ZSCORE", base .. "repeat", id)
    local job = next and "repeat:" .. id .. ":" .. next
    local kept = redis.call("EXISTS", base .. "repeat:" .. id) == 1
    if not (job and kept and listed[job] and redis.call("EXISTS", base .. job) == 1) then
      whole = 0
      if ARGV[2] == "remove" then remove(id, job) end
    end
  end
  return whole`

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
