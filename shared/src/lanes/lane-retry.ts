import { type Backoff, backoffDelay } from "../foundation/backoff.ts"
import { CLOCK_SLACK_MS } from "../foundation/clock.ts"
import { retryOfTarget } from "../record/retry-of-target.ts"
import type { LaneResult } from "./lane-outcome.ts"
import type { LaneQueue, Lanes } from "./open-lanes.ts"
import { type LaneJob, MODES, rareRetryName, retryName, type WakeUp } from "./wake-up.ts"

const RETRY: Backoff = { first: 1000, limit: 60_000 }
/** Of a source with failed targets: rights that were given count within a minute. */
const TARGET_RETRY: Backoff = { first: 2000, limit: 45_000 }
const RARE_MS = 300_000
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
  await addRetry(queue, retryName(wakeUp), { wakeUp, failures }, backoffDelay(RETRY, failures - 1))
}

/**
 * Lets a source be looked at again whose reconcile left failed targets behind: for themselves, after a wait that grows
 * from seconds, for as long as one of them may succeed without a commit (retry-of-target.ts).
 */
export async function scheduleTargetRetry(
  queue: LaneQueue,
  wakeUp: WakeUp,
  failures: number,
  failed: LaneResult["failed"],
): Promise<void> {
  const retries = new Set(failed.map(({ reason }) => retryOfTarget(reason)))
  const again: WakeUp = { ...wakeUp, mode: "incremental", reason: "retry" }
  const job = { wakeUp: again, failures }
  if (retries.has("soon"))
    await addRetry(queue, retryName(again), job, backoffDelay(TARGET_RETRY, failures - 1))
  else if (retries.has("rarely")) await addRetry(queue, rareRetryName(again), job, RARE_MS)
}

/**
 * When a lane tries a source again that did not succeed, without any other wake-up: milliseconds since the epoch, past
 * while its turn has come; undefined: never, as far as Redis knows.
 */
export async function nextRetry(
  { queue, redis }: Pick<Lanes, "queue" | "redis">,
  cluster: string,
  source: string,
): Promise<number | undefined> {
  const lane = queue(cluster)
  const lines = MODES.map((mode) => ({ source, mode }))
  const names = lines.flatMap((line) => [retryName(line), rareRetryName(line)])
  const times = names.map(async (name) => {
    const job = await lane.getDeduplicationJobId(name)
    if (!job) return []
    const [added, delay] = await redis.hmget(lane.toKey(job), "timestamp", "delay")
    const time = Number(added) + Number(delay)
    // What no retry of ours has is another program's.
    return time > 0 && time <= Date.now() + RARE_MS + CLOCK_SLACK_MS ? [time] : []
  })
  // A key of another type is another program's, too; the worker repairs it.
  const known = (await Promise.all(times.map((one) => one.catch(() => [])))).flat()
  return known.length === 0 ? undefined : Math.min(...known)
}

async function addRetry(queue: LaneQueue, name: string, job: LaneJob, delay: number): Promise<void> {
  const deduplication = { id: name, keepLastIfActive: true }
  await queue.add("retry", job, { delay: Math.round(delay), deduplication })
}
