import { setTimeout as delay } from "node:timers/promises"
import { openLanes } from "@headrace/shared/lanes/open-lanes"
import { workLane } from "@headrace/shared/lanes/work-lane"
import { createLog } from "@headrace/shared/observe/log"
import { Redis } from "ioredis"
import { it } from "vitest"
import { withRedis } from "../harness/with-redis.ts"

const log = createLog("t", { level: "silent" })
it(
  "each key",
  async () =>
    withRedis(async (redis) => {
      const r = new Redis(redis.url)
      async function scenario(state: "waiting" | "active" | "delayed retry", lose: string | undefined) {
        await r.flushall()
        const lanes = await openLanes({ redis: redis.url, log })
        const runs: number[] = []
        let gate: PromiseWithResolvers<void> | undefined = Promise.withResolvers<void>()
        let failing = state === "delayed retry"
        const handler = async () => {
          runs.push(Date.now())
          if (state === "active" && runs.length === 1) await gate?.promise
          return failing
            ? ({ result: "failed", commit: null, failed: [], error: { code: "x", message: "x" } } as any)
            : ({ result: "applied", commit: null, failed: [], error: null } as any)
        }
        const wake = () =>
          lanes
            .wake("east", { format: 1, source: "s", mode: "incremental", reason: "x" })
            .catch((e) => e.code)
        let worker = state === "waiting" ? undefined : workLane(lanes, "east", handler, { log })
        await wake()
        await delay(400)
        if (state === "active") await wake() // one more waits behind it
        await delay(100)
        const keys = (await r.keys("{headrace}:lane-east:*")).sort()
        if (lose !== undefined) for (const k of keys) if (k.endsWith(lose)) await r.del(k)
        gate?.resolve()
        gate = undefined
        failing = false
        worker ??= workLane(lanes, "east", handler, { log })
        await delay(600)
        const before = runs.length
        for (let i = 0; i < 4; i++) {
          await wake()
          await delay(1500)
        }
        const after = runs.length - before
        await worker.close()
        await lanes.close()
        return { keys: keys.map((k) => k.replace("{headrace}:lane-east:", "")), after, before }
      }
      for (const state of ["waiting", "active", "delayed retry"] as const) {
        const all = await scenario(state, undefined)
        console.log("|", state, "| nothing lost: runs after", all.after, "| keys", all.keys.join(" "))
        for (const key of all.keys) {
          const x = await scenario(state, `lane-east:${key}`)
          if (x.after < 3) console.log("|", state, "| lost", key, "| runs after 4 more wake-ups:", x.after)
        }
      }
      r.disconnect()
    }),
  400000,
)
