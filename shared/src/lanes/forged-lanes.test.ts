import { createLog } from "@headrace/shared/observe/log"
import { until } from "@headrace/test/harness/until"
import { withRedis } from "@headrace/test/harness/with-redis"
import { describe, expect, it } from "vitest"
import type { LaneResult } from "./lane-outcome.ts"
import { drawTicket, lastTicket, readOrphans, readOutcomes, readSuccesses } from "./lane-outcomes.ts"
import { readPause } from "./lane-pauses.ts"
import { type Lanes, openLanes } from "./open-lanes.ts"
import { LANES_FORMAT, type WakeUp } from "./wake-up.ts"
import { workLane } from "./work-lane.ts"

const DONE: LaneResult = { result: "noop", commit: null, failed: [], error: null }
const WAKE: WakeUp = { format: LANES_FORMAT, source: "release", mode: "incremental", reason: "webhook" }

interface Scene {
  lanes: Lanes
  /** The wake-ups that the lane's handler got. */
  worked: WakeUp[]
  /** What was logged. */
  said(): string
  /** The key of a part of the lane's queue. */
  part(name: string): string
}

/** A lane of cluster `east` with a worker, whose source is `release`. */
function withLane(fn: (scene: Scene) => Promise<void>): Promise<void> {
  return withRedis(async ({ url }) => {
    let said = ""
    const log = createLog("lanes", { level: "info", destination: { write: (line) => (said += line) } })
    const lanes = await openLanes({ redis: url, log })
    const worked: WakeUp[] = []
    const handler = async (wakeUp: WakeUp) => {
      worked.push(wakeUp)
      return DONE
    }
    const worker = workLane(lanes, "east", handler, { log, sources: ["release"] })
    try {
      await until(() => worker.running())
      await lanes.wake("east", WAKE)
      await until(() => worked.length > 0)
      await fn({ lanes, worked, said: () => said, part: (name) => lanes.queue("east").toKey(name) })
    } finally {
      await worker.close()
      await lanes.close()
    }
  })
}

/** Wakes the lane, and waits until the wake-up was worked. */
async function expectWorks({ lanes, worked }: Scene): Promise<void> {
  const before = worked.length
  await lanes.wake("east", { ...WAKE, mode: "full" })
  await until(() => worked.slice(before).some(({ mode }) => mode === "full"))
}

describe("another program that may write into Redis", () => {
  it.each<[string, (scene: Scene) => Promise<unknown>]>([
    ["pauses the lane as a dashboard does", ({ lanes }) => lanes.queue("east").pause()],
    ["sets the key of a pause alone", ({ lanes, part }) => lanes.redis.hset(part("meta"), "paused", "1")],
    [
      "sets a rate of one job in a year",
      ({ lanes, part }) => lanes.redis.hset(part("meta"), { max: "1", duration: "31536000000" }),
    ],
    ["sets a rate limit that does not end", ({ lanes, part }) => lanes.redis.set(part("limiter"), "999999")],
    [
      "puts a job into work that no worker has",
      async ({ lanes, part }) => {
        await lanes.redis.set(part("4711:lock"), "forged")
        await lanes.redis.hset(part("4711"), { data: "{}" })
        await lanes.redis.lpush(part("active"), "4711")
      },
    ],
  ])("%s: it is resumed, logged, counted and named", (_, attack) =>
    withLane(async (scene) => {
      const { lanes, said } = scene
      await attack(scene)
      await expectWorks(scene)
      await until(() => said().includes("another program had paused this lane; resumed"))
      expect(lanes.resumes().get("east")).toBeGreaterThan(0)
      const pause = await readPause(lanes, "east")
      expect(pause).toEqual({ isPaused: false, resumedAt: expect.any(Number) })
    }),
  )

  it("is seen to have paused a lane that no worker resumes", () =>
    withRedis(async ({ url }) => {
      const lanes = await openLanes({ redis: url, log: createLog("lanes", { level: "silent" }) })
      try {
        expect(await readPause(lanes, "east")).toEqual({ isPaused: false, resumedAt: undefined })
        await lanes.queue("east").pause()
        expect(await readPause(lanes, "east")).toEqual({ isPaused: true, resumedAt: undefined })
      } finally {
        await lanes.close()
      }
    }))

  it("has unknown, unreadable and endless wake-ups dropped, and nothing kept of them", () =>
    withLane(async (scene) => {
      const { lanes, worked } = scene
      const queue = lanes.queue("east")
      const forge = (data: unknown) => queue.add("wake-up", data as never)
      await forge({ wakeUp: { ...WAKE, source: "renamed" }, failures: 0 })
      await forge({ wakeUp: { ...WAKE, source: "x".repeat(1_000_000) }, failures: 0 })
      await forge({ wakeUp: { ...WAKE, mode: "everything" }, failures: 0 })
      await forge({ wakeUp: WAKE, failures: -1 })
      await forge("text")
      await forge({ wakeUp: { ...WAKE, url: "https://evil.example" }, failures: 0 })
      await expectWorks(scene)
      expect(worked.filter(({ source }) => source !== "release")).toEqual([])
      const fields = (await readOutcomes(lanes, "east")).map(({ source }) => source)
      expect(new Set(fields)).toEqual(new Set(["release"]))
    }))

  it("has each of many equal wake-ups cost a look, and the lane goes on", () =>
    withLane(async (scene) => {
      const queue = scene.lanes.queue("east")
      await Promise.all(
        Array.from({ length: 200 }, () => queue.add("wake-up", { wakeUp: WAKE, failures: 1e9 })),
      )
      await expectWorks(scene)
    }))

  it("cannot hide that a lane is late, nor break what is read by values of any kind", () =>
    withLane(async (scene) => {
      const { lanes } = scene
      await lanes.redis.hset(lanes.key("successes", "east"), {
        release: "99999999999999",
        other: "x",
        third: "-1",
      })
      await lanes.redis.hset(lanes.key("orphans", "east"), { release: "1e999", other: "7" })
      await lanes.redis.hset(lanes.key("outcomes", "east"), { a: "{", b: "[]", c: '{"format":1}' })
      expect([...(await readSuccesses(lanes, "east"))]).toEqual([])
      expect([...(await readOrphans(lanes, "east"))]).toEqual([["other", 7]])
      expect((await readOutcomes(lanes, "east")).map(({ source }) => source)).toEqual(["release"])
      for (const ticket of ["x", "-1", "1e300", "nan", "99999999999999999999"]) {
        await lanes.redis.set(lanes.key("ticket"), ticket)
        expect(await lastTicket(lanes)).toBeLessThan(Number.MAX_SAFE_INTEGER)
        const drawn = await drawTicket(lanes)
        expect(Math.abs(drawn / 1000 - Date.now())).toBeLessThan(3_600_000)
        expect(await lastTicket(lanes)).toBe(drawn)
      }
      await expectWorks(scene)
    }))

  it.each(["outcomes", "successes", "orphans", "workers"])(
    "gives the key of %s another type: it is deleted, named, and made again",
    (name) =>
      withLane(async (scene) => {
        const { lanes, said } = scene
        await lanes.redis.del(lanes.key(name, "east"))
        await lanes.redis.rpush(lanes.key(name, "east"), "x")
        await until(() => said().includes("a key of ours had another type; deleted"))
        await expectWorks(scene)
      }),
  )
})
