import { randomUUID } from "node:crypto"
import type { Lanes } from "./open-lanes.ts"

const BEAT_MS = 3000
const ALIVE_MS = 10_000

/** A worker's sign of life. */
export interface Heartbeat {
  /** Shows it now. */
  beat(): void
  /** Takes it back, so that nobody waits for a worker that has ended. */
  stop(): Promise<void>
}

/** A sorted set of workers, each until when it counts as alive. The time is that of Redis, so clocks need not agree. */
const NOW = `
  local time = redis.call("TIME")
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call("ZREMRANGEBYSCORE", KEYS[1], "-inf", now)`
const BEAT = `${NOW}
  redis.call("ZADD", KEYS[1], now + ARGV[2], ARGV[1])
  redis.call("PEXPIRE", KEYS[1], ARGV[2])`
const COUNT = `${NOW}
  return redis.call("ZCARD", KEYS[1])`

/** Shows every three seconds that a worker of this lane lives, as long as it runs, until `stop`. */
export function startHeartbeat(lanes: Lanes, cluster: string, running: () => boolean): Heartbeat {
  const key = heartbeatKey(lanes, cluster)
  const worker = randomUUID()
  const beat = () => {
    // A missed beat is no matter: there are three to a life.
    if (running()) lanes.redis.eval(BEAT, 1, key, worker, ALIVE_MS).catch(() => undefined)
  }
  const timer = setInterval(beat, BEAT_MS)
  return {
    beat,
    async stop() {
      clearInterval(timer)
      await lanes.redis.zrem(key, worker).catch(() => undefined)
    },
  }
}

/** False when no worker of this lane has shown itself for ten seconds. */
export async function hasLiveWorker(lanes: Lanes, cluster: string): Promise<boolean> {
  return Number(await lanes.redis.eval(COUNT, 1, heartbeatKey(lanes, cluster))) > 0
}

function heartbeatKey(lanes: Lanes, cluster: string): string {
  return lanes.key("workers", cluster)
}
