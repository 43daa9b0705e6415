import { readOutcomes } from "@headrace/shared/lanes/lane-outcomes"
import { openLanes } from "@headrace/shared/lanes/open-lanes"
import { createLog } from "@headrace/shared/observe/log"
import { until } from "@headrace/test/harness/until"
import { withRedis } from "@headrace/test/harness/with-redis"
import { describe, expect, it } from "vitest"
import { isTurn, watchLateLanes } from "./watch-late-lanes.ts"

const log = createLog("test", { level: "silent" })

describe("watchLateLanes", () => {
  it("wakes the lanes whose last success is too old, and no other", () =>
    withRedis(async ({ url }) => {
      const lanes = await openLanes({ redis: url, log })
      const stop = new AbortController()
      await lanes.redis.hset(lanes.key("successes", "fresh"), "release", Date.now() - 60_000)
      await lanes.redis.hset(lanes.key("successes", "late"), "release", Date.now() - 3 * 3_600_000)
      const options = { lanes, clusters: ["fresh", "late", "new"], sources: ["release"], interval: 20, log }
      const watch = watchLateLanes(options, stop.signal)
      const waiting = (cluster: string) => lanes.queue(cluster).getWaiting()
      await until(async () => (await waiting("late")).length === 1 && (await waiting("new")).length === 1)
      stop.abort()
      await watch

      expect((await waiting("late"))[0]?.data.wakeUp).toMatchObject({ mode: "full", reason: "watchdog" })
      expect(await waiting("fresh")).toEqual([])
      expect(await readOutcomes(lanes, "late")).toEqual([])
      await lanes.close()
    }))

  it("wakes a lane that stays late ever more rarely", () => {
    const looks = Array.from({ length: 40 }, (_, index) => index + 1)
    expect(looks.filter(isTurn)).toEqual([1, 2, 4, 8, 12, 24, 36])
  })
})
