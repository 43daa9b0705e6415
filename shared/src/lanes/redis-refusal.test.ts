import { createLog } from "@headrace/shared/observe/log"
import { it } from "@headrace/test/harness/fixtures"
import { Redis } from "ioredis"
import { describe, expect } from "vitest"
import { checkRedis } from "./check-redis.ts"
import { openLanes } from "./open-lanes.ts"
import { redisRefusal } from "./redis-refusal.ts"

const log = createLog("test", { level: "silent" })

describe("redisRefusal", () => {
  it.for([
    ["OOM command not allowed when used memory > 'maxmemory'.", "lanes/redis-full"],
    ["ERR Error running script (call to f_1): @user_script:1: -OOM command not allowed", "lanes/redis-full"],
    ["READONLY You can't write against a read only replica.", "lanes/redis-no-writes"],
    ["MISCONF Redis is configured to save RDB snapshots", "lanes/redis-no-writes"],
    ["NOREPLICAS Not enough good replicas to write.", "lanes/redis-no-writes"],
    ["NOPERM User x has no permissions to run the 'eval' command", "lanes/redis-rights"],
    ["ERR The user executing the script can't run this command or subcommand", "lanes/redis-rights"],
    ["LOADING Redis is loading the dataset in memory", undefined],
    ["Command timed out", undefined],
  ] as const)("takes %j for %s", ([answer, code]) => {
    expect(redisRefusal("Redis", new Error(answer))?.code).toBe(code)
  })

  it("finds the answer within a transaction", () => {
    const aborted = Object.assign(new Error("EXECABORT Transaction discarded"), {
      previousErrors: [new Error("OOM command not allowed")],
    })
    expect(redisRefusal("Redis", aborted)?.code).toBe("lanes/redis-full")
  })
})

it("a Redis without the database of the URL is refused, and nothing is written into another", async ({
  redis: { url },
}) => {
  await expect(openLanes({ redis: `${url}/99`, log })).rejects.toMatchObject({
    code: "lanes/redis-url",
    message: expect.stringContaining("no database 99"),
  })
  await expect(checkRedis(`${url}/99`, 5000)).rejects.toMatchObject({ code: "lanes/redis-url" })
  const admin = new Redis(url)
  expect(await admin.dbsize()).toBe(0)
  admin.disconnect()
})
