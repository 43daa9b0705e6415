import { expect, it } from "vitest"
import { withRedis } from "../../../test/harness/with-redis.ts"
import { createLog } from "../observe/log.ts"
import { workErrands } from "./errands.ts"
import { openLanes } from "./open-lanes.ts"

const log = createLog("test", { level: "silent" })

it("works errands although Redis was full when it began", () =>
  withRedis(async ({ url }) => {
    const lanes = await openLanes({ redis: url, log })
    const done = Promise.withResolvers<string>()
    await lanes.redis.config("SET", "maxmemory", "1kb")
    const handler = async (id: string) => done.resolve(id)
    const errands = workErrands(lanes, { name: "reports", handler, pace: 1, gather: 1, log })
    try {
      await expect(errands.ask("first")).rejects.toThrow()
      await lanes.redis.config("SET", "maxmemory", "0")
      await errands.ask("second")
      expect(await done.promise).toBe("second")
    } finally {
      await errands.close()
      await lanes.close()
    }
  }))
