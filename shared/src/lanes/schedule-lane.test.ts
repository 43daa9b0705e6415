import { until } from "@headrace/test/harness/until"
import { withLanes } from "@headrace/test/harness/with-lanes"
import { withRedis } from "@headrace/test/harness/with-redis"
import { describe, expect, it } from "vitest"
import { createLog } from "../observe/log.ts"
import type { Lanes } from "./open-lanes.ts"
import { isScheduled, scheduleLane, unscheduleLane } from "./schedule-lane.ts"
import { workLane } from "./work-lane.ts"

const log = createLog("test", { level: "silent" })
const EVERY_SECOND = "* * * * * *"

async function withOwnLanes<T>(fn: (lanes: Lanes) => Promise<T>): Promise<T> {
  return withRedis(({ url }) => withLanes(url, fn))
}

describe("scheduleLane", () => {
  it("wakes a lane again and again, once for however many programs set it up", () =>
    withOwnLanes(async (lanes) => {
      await Promise.all([1, 2, 3, 4].map(() => scheduleLane(lanes, "build01", ["release"], EVERY_SECOND)))
      expect(await lanes.queue("build01").getJobSchedulersCount()).toBe(1)
      expect(await lanes.queue("build01").getDelayedCount()).toBe(1)

      const seen: string[] = []
      const worker = workLane(
        lanes,
        "build01",
        async ({ source, mode, reason }) => {
          seen.push(`${source}/${mode}/${reason}`)
          return { result: "noop", commit: null, failed: [], error: null }
        },
        { log },
      )
      await until(() => seen.length >= 3)
      await worker.close()
      expect(new Set(seen)).toEqual(new Set(["release/full/schedule"]))
    }))

  it("is taken back", () =>
    withOwnLanes(async (lanes) => {
      await scheduleLane(lanes, "build01", ["release"], EVERY_SECOND)
      await unscheduleLane(lanes, "build01")
      expect(await lanes.queue("build01").getJobSchedulersCount()).toBe(0)
      expect(await lanes.queue("build01").getDelayedCount()).toBe(0)
    }))

  it("forgets sources that the settings have no longer", () =>
    withOwnLanes(async (lanes) => {
      await scheduleLane(lanes, "build01", ["release", "gone"], EVERY_SECOND)
      await scheduleLane(lanes, "build01", ["release"], EVERY_SECOND)
      const left = await lanes.queue("build01").getJobSchedulers()
      expect(left.map(({ key }) => key)).toEqual(["full-release"])
    }))

  it("is put back when Redis has lost it", () =>
    withOwnLanes(async (lanes) => {
      await scheduleLane(lanes, "build01", ["release"], EVERY_SECOND)
      await lanes.redis.flushall()
      await scheduleLane(lanes, "build01", ["release"], EVERY_SECOND)
      expect(await lanes.queue("build01").getJobScheduler("full-release")).toBeDefined()
      expect(await lanes.queue("build01").getDelayedCount()).toBe(1)
    }))

  it("is missed and put back whichever of its keys Redis has lost", () =>
    withOwnLanes(async (lanes) => {
      const lost: string[] = []
      const schedule = () => scheduleLane(lanes, "build01", ["release"], "0 0 1 1 *")
      await schedule()
      const keys = (await lanes.redis.keys(lanes.key("lane-build01", "*"))).sort()
      for (const key of keys) {
        expect(await isScheduled(lanes, "build01", ["release"])).toBe(true)
        await lanes.redis.del(key)
        if (await isScheduled(lanes, "build01", ["release"])) continue
        lost.push(key.replace(/\d{10,}/, "TIME").slice(lanes.key("lane-build01", "").length))
        await schedule()
      }
      expect(lost).toEqual(["delayed", "repeat", "repeat:full-release", "repeat:full-release:TIME"])
    }))

  it("refuses a pattern that does not read", () =>
    withOwnLanes(async (lanes) => {
      await expect(scheduleLane(lanes, "build01", ["release"], "now and then")).rejects.toMatchObject({
        code: "lanes/schedule",
      })
    }))
})
