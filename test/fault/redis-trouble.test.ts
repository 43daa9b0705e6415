import { readdirSync, readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import type { LaneResult } from "@headrace/shared/lanes/lane-outcome"
import { type Lanes, openLanes } from "@headrace/shared/lanes/open-lanes"
import { REDIS_COMMANDS } from "@headrace/shared/lanes/redis-rights"
import { workLane } from "@headrace/shared/lanes/work-lane"
import { createLog } from "@headrace/shared/observe/log"
import { Redis } from "ioredis"
import { describe, expect, it } from "vitest"
import { redisAclRules } from "../harness/redis-acl-rules.ts"
import { until } from "../harness/until.ts"
import { type TestRedis, withRedis } from "../harness/with-redis.ts"

interface Scene {
  redis: TestRedis
  admin: Redis
  lanes: Lanes
  /** Lines of `warn` and above, of the lanes and their worker. */
  lines(): LogLine[]
  /** Wakes the lane and waits until that was worked. */
  flow(): Promise<void>
}

interface LogLine {
  msg: string
  code?: string
  err?: string
  hint?: string
}

const DONE: LaneResult = { result: "applied", commit: null, failed: [], error: null }

/** A lane that is worked, in a Redis reached by `user`. */
async function withWorkedLane(
  test: (scene: Scene) => Promise<void>,
  { rules, args = [] }: { rules?: string; args?: readonly string[] } = {},
): Promise<void> {
  await withRedis(
    async (redis) => {
      const admin = new Redis(redis.url, { retryStrategy: () => 50, maxRetriesPerRequest: null })
      admin.on("error", () => undefined)
      if (rules !== undefined) await setUser(admin, `on >right ${rules}`)
      const lines: LogLine[] = []
      const log = createLog("test", {
        level: "warn",
        destination: { write: (text) => void lines.push(JSON.parse(text)) },
      })
      const url = rules === undefined ? redis.url : redis.url.replace("://", "://headrace:right@")
      const lanes = await openLanes({ redis: url, log })
      let runs = 0
      const handler = async () => {
        runs++
        return DONE
      }
      const worker = workLane(lanes, "east", handler, { log, sources: ["a"] })
      const flow = async () => {
        const before = runs
        const wakeUp = { format: 1, source: "a", mode: "incremental", reason: "test" } as const
        await until(() =>
          lanes.wake("east", wakeUp).then(
            () => true,
            () => false,
          ),
        )
        await until(() => runs > before)
      }
      try {
        await test({ redis, admin, lanes, lines: () => lines, flow })
      } finally {
        await worker.close()
        await lanes.close()
        admin.disconnect()
      }
    },
    { args },
  )
}

function setUser(admin: Redis, rules: string): Promise<unknown> {
  return admin.call("ACL", "SETUSER", "headrace", ...rules.split(" "))
}

/** The scripts that a queue, its workers and its schedulers run. */
const SCRIPTS =
  /^(add(Standard|Delayed)Job|(add|get|remove|update)JobScheduler|extendLocks?|getCounts|getRanges|getRateLimitTtl|getState(V2)?|isMaxed|move(JobFromActiveToWait|StalledJobsToWait|ToActive|ToDelayed|ToFinished)|pause|releaseLock|retryJob|saveStacktrace|updateData)-\d+\.js$/

describe("the rights that lanes need", () => {
  it("are in docs/reference/redis.md", () => {
    const page = readFileSync(join(import.meta.dirname, "../../docs/reference/redis.md"), "utf8")
    expect(page).toContain(`ACL SETUSER headrace on >PASSWORD ${redisAclRules("headrace")}\n`)
  })

  it("are those of every script of BullMQ that lanes run", () => {
    const folder = join(dirname(createRequire(import.meta.url).resolve("bullmq")), "../esm/scripts")
    const scripts = readdirSync(folder).filter((file) => SCRIPTS.test(file))
    expect(scripts).toHaveLength(24)
    const commands = scripts.flatMap((file) =>
      [...readFileSync(join(folder, file), "utf8").matchAll(/(?:rcall|redis\.p?call)\(['"]([A-Za-z]+)/g)].map(
        ([, command = ""]) => command.toLowerCase(),
      ),
    )
    expect(commands.filter((command) => !REDIS_COMMANDS.includes(command))).toEqual([])
  })
})

describe.concurrent("a Redis that", () => {
  it("gives its user exactly the documented rights works a lane", () =>
    withWorkedLane(
      async ({ admin, lanes, lines, flow }) => {
        await flow()
        await flow()
        expect(lanes.trouble()).toBeUndefined()
        expect(lines()).toEqual([])
        expect(await refused(admin)).toEqual([])
      },
      { rules: redisAclRules("headrace") },
    ))

  it("takes rights from its user is named with the command that gives them back", () =>
    withWorkedLane(
      async ({ admin, lanes, lines, flow }) => {
        await flow()
        await setUser(admin, "-zadd -evalsha")
        await until(() =>
          lanes.wake("east", wakeUp).then(
            () => false,
            () => true,
          ),
        )
        await until(() => lanes.trouble()?.code === "lanes/redis-rights")
        expect(lanes.trouble()).toMatchObject({
          message: "the Redis user must be allowed evalsha, zadd",
          hint: 'Run "ACL SETUSER headrace +evalsha +zadd" on Redis.',
        })
        await setUser(admin, "+zadd +evalsha")
        await flow()
        expect(lines().filter(({ code }) => code === "lanes/redis-rights")).toHaveLength(1)
        expect(lines().length).toBeLessThan(6)
      },
      { rules: redisAclRules("headrace") },
    ))

  it("refuses any command, or the keys, is named with the right that lacks", () =>
    withRedis(async ({ url }) => {
      const admin = new Redis(url)
      const users = [
        ...REDIS_COMMANDS.map((name) => ({
          rules: `${redisAclRules("headrace")} -${name}`,
          right: `+${name}`,
        })),
        { rules: redisAclRules("other"), right: "~{headrace}:*" },
      ]
      const hints = users.map(async ({ rules, right }, number) => {
        const user = `user${number}`
        await admin.call("ACL", "SETUSER", user, "on", ">right", ...rules.split(" "))
        const { code, hint } = await refusal(url.replace("://", `://${user}:right@`))
        expect([code, hint]).toEqual(["lanes/redis-rights", `Run "ACL SETUSER ${user} ${right}" on Redis.`])
      })
      await Promise.all(hints)
      admin.disconnect()
    }))

  it("becomes a replica is named once, and works again as a primary", () =>
    withWorkedLane(async ({ admin, lanes, lines, flow }) => {
      await flow()
      await admin.replicaof("127.0.0.1", 1)
      await until(() => lanes.trouble()?.code === "lanes/redis-no-writes")
      expect(lanes.trouble()?.message).toContain("READONLY, it is a replica")
      // Long enough for what is tried again and again to be logged again and again.
      await until(() => countdown(300))
      await admin.replicaof("NO", "ONE")
      await flow()
      expect(lines().filter(({ code }) => code === "lanes/redis-no-writes")).toHaveLength(1)
      expect(lines().length).toBeLessThan(6)
    }))

  it("is paused for writes is named, and works again when that ends", () =>
    withWorkedLane(async ({ admin, lanes, lines, flow }) => {
      await flow()
      await admin.call("CLIENT", "PAUSE", "60000", "WRITE")
      await lanes.wake("east", wakeUp).catch(() => undefined)
      await until(() => lanes.trouble()?.code === "lanes/redis-no-writes")
      expect(lanes.trouble()?.message).toContain("its clients are paused for writes")
      await admin.call("CLIENT", "UNPAUSE")
      await flow()
      expect(lines().filter(({ code }) => code === "lanes/redis-no-writes")).toHaveLength(1)
    }))

  it("goes away is logged once with the reason, and not when we close", async () => {
    let lines: LogLine[] = []
    await withWorkedLane(async (scene) => {
      await scene.flow()
      expect(scene.lines()).toEqual([])
      await scene.redis.kill()
      await until(() => scene.lines().some(({ msg }) => msg === "redis is away"))
      await scene.redis.restart()
      await scene.flow()
      lines = scene.lines()
    })
    const away = lines.filter(({ msg }) => msg === "redis is away")
    expect(away).toHaveLength(1)
    expect(away[0]?.err).toMatch(/does not answer: .*ECONN/)
  })

  it("wants another password is named as that, once", () =>
    withRedis(
      async ({ port }) => {
        const lines: LogLine[] = []
        const log = createLog("test", {
          level: "warn",
          destination: { write: (text) => void lines.push(JSON.parse(text)) },
        })
        const lanes = await openLanes({ redis: `redis://:wr0ng@127.0.0.1:${port}`, log })
        expect(lanes.trouble()?.message).toBe(`Redis at 127.0.0.1:${port} refuses the user or the password`)
        await lanes.close()
        expect(lines.map(({ msg }) => msg)).toEqual(["redis is away"])
        expect(JSON.stringify(lines)).not.toContain("wr0ng")
      },
      { args: ["--requirepass", "s3cret"] },
    ))
})

const wakeUp = { format: 1, source: "a", mode: "incremental", reason: "test" } as const

/** Why lanes do not open, or cannot be used then. */
async function refusal(url: string): Promise<HeadraceError> {
  const lanes = await openLanes({ redis: url, log: createLog("test", { level: "silent" }) }).catch(
    (error: HeadraceError) => error,
  )
  if (lanes instanceof HeadraceError) return lanes
  const trouble = lanes.trouble()
  await lanes.close()
  if (trouble === undefined) throw new Error("nothing was refused")
  return trouble
}

/** What the server noted as refused, by command. */
async function refused(admin: Redis): Promise<string[]> {
  const entries = (await admin.call("ACL", "LOG")) as unknown[][]
  return entries.map((entry) => JSON.stringify(entry))
}

let countdowns = 0
function countdown(times: number): boolean {
  return ++countdowns % times === 0
}
