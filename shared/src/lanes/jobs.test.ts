import { withRedis } from "@headrace/test/harness/with-redis"
import { expect, it } from "vitest"
import { createLog } from "../observe/log.ts"
import { workJobs } from "./jobs.ts"
import { openLanes } from "./open-lanes.ts"

const log = createLog("test", { level: "silent" })

it("works jobs although Redis was full when it began", () =>
  withRedis(async ({ url }) => {
    const lanes = await openLanes({ redis: url, log })
    const done = Promise.withResolvers<string>()
    await lanes.redis.config("SET", "maxmemory", "1kb")
    const handler = async (id: string) => done.resolve(id)
    const jobs = workJobs(lanes, { name: "reports", handler, pace: 1, gather: 1, log })
    try {
      await expect(jobs.ask("first")).rejects.toThrow()
      await lanes.redis.config("SET", "maxmemory", "0")
      await jobs.ask("second")
      expect(await done.promise).toBe("second")
    } finally {
      await jobs.close()
      await lanes.close()
    }
  }))
