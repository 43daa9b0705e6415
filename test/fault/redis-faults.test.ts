import { freePort } from "@headrace/config/local/free-port"
import { openLanes } from "@headrace/shared/lanes/open-lanes"
import { isRedisFull } from "@headrace/shared/lanes/redis-memory"
import { createLog } from "@headrace/shared/observe/log"
import { Redis } from "ioredis"
import { describe, expect, it } from "vitest"
import { commitId, FakeBranch } from "../harness/fake-reconciler.ts"
import { until } from "../harness/until.ts"
import { pushEvent, type TestPlugin, withPlugin } from "../harness/with-plugin.ts"
import { withRedis } from "../harness/with-redis.ts"

const log = createLog("test", { level: "silent" })
const LANE = "build01/release"

async function converged(branch: FakeBranch): Promise<void> {
  await until(() => branch.shown.get(LANE) === branch.tipNumber)
}

async function ready(plugin: TestPlugin): Promise<void> {
  await until(async () => (await fetch(`${plugin.url}/readyz`)).status === 200)
}

describe("a plugin whose Redis", () => {
  it("is killed in mid-burst and comes back empty converges, and holds lanes to one again", () =>
    withRedis(async (redis) => {
      const branch = new FakeBranch(5)
      await withPlugin({ redis: redis.url, reconciler: branch }, async (plugin) => {
        await ready(plugin)
        const statuses: number[] = []
        for (let merge = 0; merge < 300; merge++) {
          if (merge === 100) await redis.kill()
          if (merge === 200) await redis.restart()
          statuses.push((await plugin.deliver("push", pushEvent(branch.merge()))).status)
        }
        expect(statuses.filter((status) => status === 202).length).toBeGreaterThanOrEqual(100)
        expect(statuses.filter((status) => status === 503).length).toBeGreaterThanOrEqual(100)
        expect(statuses.every((status) => status === 202 || status === 503)).toBe(true)

        await converged(branch)
        await until(async () => (await plugin.lanes.queue("build01").getGlobalConcurrency()) === 1)
        expect(branch.most).toBe(1)
      })
    }))

  it("is emptied without a restart holds lanes to one again with the next wake-up", () =>
    withRedis(async (redis) => {
      const branch = new FakeBranch()
      await withPlugin({ redis: redis.url, reconciler: branch }, async (plugin) => {
        await ready(plugin)
        await converged(branch)
        await plugin.lanes.redis.flushall()
        await plugin.deliver("push", pushEvent(branch.merge()))
        await converged(branch)
        expect(await plugin.lanes.queue("build01").getGlobalConcurrency()).toBe(1)
      })
    }))

  it("is emptied lets no two workers work at once", () =>
    withRedis(async (redis) => {
      const branch = new FakeBranch(50)
      const options = { redis: redis.url, reconciler: branch }
      await withPlugin(options, (first) =>
        withPlugin(options, async () => {
          await ready(first)
          for (let round = 0; round < 5; round++) {
            await until(async () => (await first.lanes.queue("build01").getActiveCount()) === 0)
            await first.lanes.redis.flushall()
            await first.deliver("push", pushEvent(branch.merge()))
            await converged(branch)
          }
        }),
      )
      expect(branch.most).toBe(1)
    }))

  it("is absent at the start serves its probes, refuses deliveries, and works when it comes", () =>
    withRedis(async (redis) => {
      await redis.kill()
      const branch = new FakeBranch()
      await withPlugin({ redis: redis.url, reconciler: branch }, async (plugin) => {
        expect((await fetch(`${plugin.url}/healthz`)).status).toBe(200)
        const readiness = await fetch(`${plugin.url}/readyz`)
        expect([readiness.status, await readiness.text()]).toEqual([
          503,
          `Redis at 127.0.0.1:${redis.port} does not answer\n`,
        ])
        expect((await plugin.deliver("push", pushEvent(branch.merge()))).status).toBe(503)

        await redis.restart()
        await ready(plugin)
        await converged(branch)
      })
    }))

  it("hangs answers 503 and converges by the next poll when it goes on", () =>
    withRedis(async (redis) => {
      const branch = new FakeBranch()
      await withPlugin({ redis: redis.url, reconciler: branch, poll: "1s" }, async (plugin) => {
        await ready(plugin)
        // What wakes a lane at the start is over: it must not be what brings these merges.
        await converged(branch)
        process.kill(redis.pid(), "SIGSTOP")
        const answers = Array.from({ length: 5 }, () => plugin.deliver("push", pushEvent(branch.merge())))
        const statuses = (await Promise.all(answers)).map((answer) => answer.status)
        process.kill(redis.pid(), "SIGCONT")
        expect(statuses).toEqual(Array(5).fill(503))
        await converged(branch)
      })
    }))

  it("is full says so, and takes wake-ups again when it has room", () =>
    withRedis(async (redis) => {
      const branch = new FakeBranch()
      await withPlugin({ redis: redis.url, reconciler: branch }, async (plugin) => {
        await ready(plugin)
        await converged(branch)
        const admin = new Redis(redis.url)
        await admin.config("SET", "maxmemory", "1kb")
        const refused = await plugin.deliver("push", pushEvent(branch.merge()))
        expect(refused.status).toBe(503)
        expect(refused.body).toMatch(/OOM|full/)
        expect(await isRedisFull(admin)).toBe(true)
        await admin.config("SET", "maxmemory", "0")
        expect(await isRedisFull(admin)).toBe(false)
        admin.disconnect()
        expect((await plugin.deliver("push", pushEvent(branch.merge()))).status).toBe(202)
        await converged(branch)
      })
    }))

  it("becomes full while a wake-up is worked stores its outcome when it has room", () =>
    withRedis(async (redis) => {
      const branch = new FakeBranch(300)
      await withPlugin({ redis: redis.url, reconciler: branch }, async (plugin) => {
        await ready(plugin)
        await converged(branch)
        const { lanes } = plugin
        const admin = new Redis(redis.url)
        const before = branch.runs.length
        await plugin.deliver("push", pushEvent(branch.merge()), { guid: "in-the-midst" })
        await until(() => branch.runs.length > before)
        await admin.config("SET", "maxmemory", "1kb")
        await converged(branch)
        const outcome = () =>
          lanes.redis.hget(lanes.key("delivery", "in-the-midst"), "outcome/build01/release")
        // It could neither store the outcome nor return the wake-up.
        await until(async () => (await lanes.queue("build01").getActiveCount()) === 0)
        expect(await outcome()).toBeNull()
        await admin.config("SET", "maxmemory", "0")
        admin.disconnect()
        await until(async () => (await outcome())?.includes('"written"') === true)
      })
    }))

  it("is away when it is asked to end, ends", () =>
    withRedis(async (redis) => {
      const clusters = ["build01", "build02"]
      await withPlugin({ redis: redis.url, reconciler: new FakeBranch(), clusters }, async (plugin) => {
        await ready(plugin)
        await redis.kill()
      })
    }))
})

describe("openLanes", () => {
  it.each(["allkeys-lru", "volatile-ttl"])("refuses a Redis with maxmemory-policy %s", (policy) =>
    withRedis(
      async ({ url }) => {
        await expect(openLanes({ redis: url, log })).rejects.toMatchObject({
          code: "lanes/redis-evicts",
          message: `Redis has maxmemory-policy ${policy} and would drop queues when it is full`,
        })
      },
      { args: ["--maxmemory-policy", policy] },
    ),
  )

  it("refuses lanes of a newer format", () =>
    withRedis(async ({ url }) => {
      const redis = new Redis(url)
      await redis.set("{headrace}:format", "2")
      redis.disconnect()
      await expect(openLanes({ redis: url, log })).rejects.toMatchObject({ code: "lanes/newer-format" })
      // Another installation in the same Redis is none of its business.
      await (await openLanes({ redis: url, prefix: "mine", log })).close()
    }))

  it("works with a password, and names a wrong one without repeating it", () =>
    withRedis(
      async ({ port }) => {
        const right = await openLanes({ redis: `redis://:s3cret@127.0.0.1:${port}`, log })
        expect(right.trouble()).toBeUndefined()
        await right.close()
        async function expectRefusal(url: string): Promise<void> {
          const wrong = await openLanes({ redis: url, log })
          expect(wrong.trouble()?.code).toBe("lanes/redis-unavailable")
          expect(String(wrong.trouble()?.cause)).toMatch(/NOAUTH|WRONGPASS/)
          expect(String(wrong.trouble()?.cause)).not.toContain("wr0ng")
          await wrong.close()
        }
        const urls = [`redis://127.0.0.1:${port}`, `redis://:wr0ng@127.0.0.1:${port}`]
        await Promise.all(urls.map(expectRefusal))
      },
      { args: ["--requirepass", "s3cret"] },
    ))

  it("says that a port speaks no Redis", async () => {
    const lanes = await openLanes({ redis: `redis://127.0.0.1:${await freePort()}`, log })
    expect(lanes.trouble()?.code).toBe("lanes/redis-unavailable")
    await expect(
      lanes.wake("build01", { format: 1, source: "release", mode: "full", reason: commitId(1) }),
    ).rejects.toMatchObject({ code: "lanes/redis-unavailable" })
    await lanes.close()
  })
})
