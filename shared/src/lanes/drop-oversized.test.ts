import { createLog } from "@headrace/shared/observe/log"
import { until } from "@headrace/test/harness/until"
import { withRedis } from "@headrace/test/harness/with-redis"
import type { Redis } from "ioredis"
import { expect, it } from "vitest"
import { connectRedis } from "./connect-redis.ts"
import type { LaneResult } from "./lane-outcome.ts"
import { readOutcomes, readSuccesses } from "./lane-outcomes.ts"
import { type Lanes, openLanes } from "./open-lanes.ts"
import { parseRedisUrl } from "./redis-address.ts"
import { scheduleLane } from "./schedule-lane.ts"
import { LANES_FORMAT, type WakeUp } from "./wake-up.ts"
import { workLane } from "./work-lane.ts"

const DONE: LaneResult = { result: "noop", commit: null, failed: [], error: null }
const WAKE: WakeUp = { format: LANES_FORMAT, source: "release", mode: "incremental", reason: "webhook" }
const MOST_REPLY = 2 ** 20
const DROPPED = "keys of ours had grown too large; deleted"
const HUGE = "x".repeat(2 * MOST_REPLY)

interface Attack {
  write(redis: Redis, lanes: Lanes): Promise<unknown>
  /** What meets it, beside the worker and the checks of Redis. */
  read?(lanes: Lanes): Promise<unknown>
}

const ATTACKS: Record<string, Attack> = {
  "in a field of a hash": {
    write: (redis, lanes) => redis.hset(lanes.key("successes", "east"), "forged", HUGE),
    read: (lanes) => readSuccesses(lanes, "east"),
  },
  "as the name of a field": {
    write: (redis, lanes) => redis.hset(lanes.key("outcomes", "east"), HUGE, HUGE),
    read: (lanes) => readOutcomes(lanes, "east"),
  },
  "as the format of the lanes": { write: (redis, lanes) => redis.set(lanes.key("format"), HUGE) },
  "in a job": {
    write: (redis, lanes) => addJob(redis, lanes, "4711"),
  },
  "as the id of a job": {
    write: (redis, lanes) => addJob(redis, lanes, HUGE),
  },
  "in a schedule": {
    async write(redis, lanes) {
      await redis.zadd(lanes.queue("east").toKey("repeat"), Date.now(), "forged")
      await redis.hset(lanes.queue("east").toKey("repeat:forged"), "name", HUGE)
    },
    read: (lanes) => scheduleLane(lanes, "east", ["release"], "0 * * * *"),
  },
}

async function addJob(redis: Redis, lanes: Lanes, id: string): Promise<void> {
  const part = (name: string) => lanes.queue("east").toKey(name)
  await redis.hset(part(id), { name: "wake-up", data: HUGE, opts: "{}", timestamp: "1" })
  await redis.rpush(part("wait"), id)
}

interface Scene {
  lanes: Lanes
  /** Another program's connection. */
  other: Redis
  said(): string
  /** Wakes the lane; true once a wake-up was worked that came after this. */
  works(): Promise<boolean>
}

/** A lane with a worker, for which a reply of more than MOST_REPLY is too large. */
function withLane(fn: (scene: Scene) => Promise<void>): Promise<void> {
  return withRedis(async ({ url }) => {
    let said = ""
    const log = createLog("lanes", { level: "info", destination: { write: (line) => (said += line) } })
    const lanes = await openLanes({ redis: url, mostReply: MOST_REPLY, log })
    let worked = 0
    const handler = async () => {
      worked += 1
      return DONE
    }
    const worker = workLane(lanes, "east", handler, { log, sources: ["release"] })
    const other = connectRedis(parseRedisUrl(url), { failFast: false, onError: () => undefined }) as Redis
    const works = async () => {
      const before = worked
      await lanes.wake("east", WAKE)
      await until(() => worked > before)
      return worker.running()
    }
    try {
      await until(() => worker.running())
      await fn({ lanes, other, said: () => said, works })
    } finally {
      await worker.close()
      await lanes.close()
      other.disconnect()
    }
  })
}

it.each(Object.entries(ATTACKS))(
  "%s, more than a reply may have: the key goes, is named, and the lane goes on",
  (_, { write, read }) =>
    withLane(async ({ lanes, other, said, works }) => {
      await write(other, lanes)
      const goesOn = async () => {
        await read?.(lanes)
        return works()
      }
      await until(
        () =>
          said().includes(DROPPED) ||
          goesOn().then(
            () => false,
            () => false,
          ),
      )
      await until(() => goesOn().catch(() => false))
    }),
)

it.each([
  ["tens of thousands of jobs", 30_000, "wait (too many)"],
  ["thousands of jobs that are not there", 5000, "wait/id1"],
])("%s in a lane: they are taken off at once, the log names some, and the lane goes on", (_, count, named) =>
  withLane(async ({ lanes, other, said, works }) => {
    const wait = lanes.queue("east").toKey("wait")
    await other.eval(`for i = ${count}, 1, -1 do redis.call("LPUSH", KEYS[1], "id" .. i) end`, 1, wait)
    expect(await works()).toBe(true)
    expect(await other.llen(wait)).toBe(0)
    expect(said()).toContain(named)
    expect(said().length).toBeLessThan(20_000)
  }),
)
