import type { RedisClient } from "./connect-redis.ts"
import { HELD_UP, type KeyedQueue } from "./repair-queue.ts"

/** The lanes, as far as pauses go. */
interface PausePorts {
  redis: RedisClient
  key(...parts: string[]): string
}

/** What kept a lane's wake-ups from being taken, other than Redis itself. */
export interface LanePause {
  /** True: it is paused now, and no worker of Headrace has resumed it. */
  isPaused: boolean
  /** When a worker last resumed it, in milliseconds since the epoch; undefined: not for a week, as far as Redis knows. */
  resumedAt: number | undefined
}

const KEPT_MS = 7 * 24 * 3_600_000

/** The part of what was repaired in a lane's queue that had held it up. */
export function heldUpBy(repaired: readonly string[]): string[] {
  return repaired.filter((what) => HELD_UP.includes(what) || what.endsWith(":lock"))
}

/** Keeps when a lane was resumed, for people. */
export async function notePause(lanes: PausePorts, cluster: string): Promise<void> {
  await lanes.redis.set(resumedKey(lanes, cluster), String(Date.now()), "PX", KEPT_MS)
}

/** Whether another program has paused a lane, or had. */
export async function readPause(
  lanes: PausePorts & { queue(cluster: string): KeyedQueue },
  cluster: string,
): Promise<LanePause> {
  const meta = lanes.queue(cluster).toKey("meta")
  const [paused, resumed] = await Promise.all([
    lanes.redis.hexists(meta, "paused"),
    lanes.redis.get(resumedKey(lanes, cluster)),
  ])
  const at = Number(resumed)
  return { isPaused: paused === 1, resumedAt: at > 0 && at <= Date.now() ? at : undefined }
}

function resumedKey(lanes: PausePorts, cluster: string): string {
  return lanes.key("resumed", cluster)
}
