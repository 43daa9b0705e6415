import type { LaneResult } from "@headrace/shared/lanes/lane-outcome"
import { type Lanes, openLanes } from "@headrace/shared/lanes/open-lanes"
import { deliveryKey } from "@headrace/shared/lanes/recent-deliveries"
import { createLog } from "@headrace/shared/observe/log"
import { withRedis } from "@headrace/test/harness/with-redis"
import { describe, expect, it } from "vitest"
import type { Delivery } from "../webhook/receive-delivery.ts"
import { answerDeliveries, outcomeField, readOutcome } from "./answer-deliveries.ts"
import { type DeliveryBook, openDeliveryBook, pendingKey } from "./keep-deliveries.ts"
import { outcomeSeals } from "./outcome-seals.ts"

const log = createLog("test", { level: "silent" })
const CLUSTERS = ["app.ci", "build01"]
const DAY_S = 24 * 3600
const TRIM_EVERY = 200

interface Book extends DeliveryBook {
  lanes: Lanes
  outcome(guid: string, cluster: string): Promise<unknown>
  answer(cluster: string, result: Partial<LaneResult>, contained?: readonly string[]): Promise<string[]>
}

function withBook(fn: (book: Book) => Promise<void>, keptCount?: number): Promise<void> {
  return withRedis(async ({ url }) => {
    const lanes = await openLanes({ redis: url, log })
    try {
      await fn({
        ...openDeliveryBook(lanes, keptCount),
        lanes,
        async outcome(guid, cluster) {
          const text = await lanes.redis.hget(deliveryKey(lanes, guid), outcomeField(cluster, "release"))
          return text === null ? undefined : readOutcome(text)
        },
        answer(cluster, result, contained = []) {
          const whole: LaneResult = {
            result: "applied",
            commit: shaOf(9),
            failed: [],
            error: null,
            ...result,
          }
          return answerDeliveries(lanes, cluster, "release", whole, {
            contained: async () => new Set(contained),
            seals: outcomeSeals(undefined),
          })
        },
      })
    } finally {
      await lanes.close()
    }
  })
}

const shaOf = (number: number) => number.toString(16).padStart(40, "0")

function delivery(number: number): Delivery {
  const repo = "openshift/release"
  return { guid: `guid-${number}`, event: "push", repo, branch: "main", sha: shaOf(number), pull: undefined }
}

const note = (book: Book, number: number) => book.note(delivery(number), ["release"], CLUSTERS)

describe("deliveries", () => {
  it("are taken until they were accepted, and for more than three days not again", () =>
    withBook(async (book) => {
      expect(await note(book, 1)).toBe(true)
      // The plugin died before it woke anybody: GitHub shows a failure, and somebody sends it again.
      expect(await note(book, 1)).toBe(true)
      await book.markAccepted("guid-1")
      expect(await note(book, 1)).toBe(false)
      expect(await book.lanes.redis.ttl(deliveryKey(book.lanes, "guid-1"))).toBeGreaterThan(3 * DAY_S)
    }))

  it("leave nothing in Redis that does not expire", () =>
    withBook(async (book) => {
      await note(book, 1)
      await book.markAccepted("guid-1")
      await book.answer("app.ci", {}, [shaOf(1)])
      const keys = await book.lanes.redis.keys(book.lanes.key("*"))
      const kept = keys.filter((key) => /:(delivery|deliveries|pending)/.test(key))
      expect(kept).toHaveLength(3)
      for (const key of kept) expect([key, await book.lanes.redis.ttl(key)]).not.toEqual([key, -1])
    }))

  it("are no more than so many, however many come, the latest kept", () =>
    withBook(async (book) => {
      for (let number = 0; number <= 5 * TRIM_EVERY; number++) await note(book, number)
      const { lanes } = book
      const hashes = await lanes.redis.keys(lanes.key("delivery", "*"))
      expect(hashes.length).toBeLessThanOrEqual(51)
      expect(await lanes.redis.zcard(lanes.key("deliveries"))).toBe(hashes.length)
      for (const cluster of CLUSTERS) {
        expect(await lanes.redis.zcard(pendingKey(lanes, cluster, "release"))).toBeLessThanOrEqual(51)
      }
      await book.markAccepted("guid-1000")
      expect(await note(book, 1000)).toBe(false)
    }, 50))

  it("that are older than kept are forgotten with the next, by a plugin that has just started", () =>
    withBook(async (book) => {
      const index = book.lanes.key("deliveries")
      await book.lanes.redis.zadd(index, String(Date.now() - 5 * DAY_S * 1000), "old")
      await note(book, 1)
      expect(await book.lanes.redis.zrange(index, 0, "-1")).toEqual(["guid-1"])
    }))

  it("have their outcome in each cluster: written when the record contains them, otherwise why not", () =>
    withBook(async (book) => {
      await note(book, 1)
      await note(book, 2)
      const failed = [{ target: "ci/big", reason: "too large" }]
      expect(await book.answer("app.ci", { failed }, [shaOf(1)])).toEqual(["guid-1"])
      expect(await book.outcome("guid-1", "app.ci")).toMatchObject({ state: "written", failed })
      expect(await book.outcome("guid-2", "app.ci")).toBeUndefined()
      expect(await book.outcome("guid-1", "build01")).toBeUndefined()

      const error = { code: "kube/unavailable", message: "build01 does not answer" }
      const down = { result: "failed", commit: null, error } as const
      expect((await book.answer("build01", down)).sort()).toEqual(["guid-1", "guid-2"])
      expect(await book.answer("build01", down)).toEqual([])
      expect(await book.outcome("guid-2", "build01")).toMatchObject({ state: "failed", error })

      const both = [shaOf(1), shaOf(2)]
      expect((await book.answer("build01", {}, both)).sort()).toEqual(["guid-1", "guid-2"])
      expect(await book.outcome("guid-2", "build01")).toMatchObject({ state: "written", error: null })
      expect(await book.lanes.redis.zcard(pendingKey(book.lanes, "build01", "release"))).toBe(0)
    }))

  it("that have expired hold up no others, and are not brought back by an answer", () =>
    withBook(async (book) => {
      await note(book, 1)
      await note(book, 2)
      await book.lanes.redis.del(deliveryKey(book.lanes, "guid-1"))
      expect(await book.answer("app.ci", {}, [shaOf(1), shaOf(2)])).toEqual(["guid-2"])
      expect(await book.lanes.redis.exists(deliveryKey(book.lanes, "guid-1"))).toBe(0)
      expect(await book.lanes.redis.zcard(pendingKey(book.lanes, "app.ci", "release"))).toBe(0)
    }))

  it("go on waiting when a full Redis does not take their outcome", () =>
    withBook(async (book) => {
      await note(book, 1)
      await book.lanes.redis.config("SET", "maxmemory", "1kb")
      await expect(book.answer("app.ci", {}, [shaOf(1)])).rejects.toThrow()
      await book.lanes.redis.config("SET", "maxmemory", "0")
      expect(await book.answer("app.ci", {}, [shaOf(1)])).toEqual(["guid-1"])
      expect(await book.outcome("guid-1", "app.ci")).toMatchObject({ state: "written" })
    }))

  it("are answered whatever thousands of others are forged before, among and behind them", () =>
    withBook(async (book) => {
      const { redis } = book.lanes
      const pending = pendingKey(book.lanes, "app.ci", "release")
      const forge = `for i = 1, 6000 do
        redis.call("ZADD", KEYS[1], ARGV[1], ARGV[1] .. "-" .. i)
        redis.call("HSET", ARGV[2] .. ARGV[1] .. "-" .. i, "sha", ARGV[3])
      end`
      const hour = 3_600_000
      for (const arrived of [1, Date.now() - hour, Date.now() + 1000 * hour])
        await redis.eval(forge, 1, pending, arrived, deliveryKey(book.lanes, ""), shaOf(4711))
      await redis.zadd(pending, Date.now() - hour, "x".repeat(100_000))
      await redis.hset(deliveryKey(book.lanes, "option"), "sha", "--output=/etc/passwd")
      await redis.zadd(pending, Date.now() - 1, "option")
      await note(book, 1)
      expect(await book.answer("app.ci", {}, [shaOf(1), "--output=/etc/passwd"])).toEqual(["guid-1"])
      expect(await book.outcome("guid-1", "app.ci")).toMatchObject({ state: "written" })
    }))

  it("are read beside outcomes of a megabyte each, of which few are in memory at a time", () =>
    withBook(async (book) => {
      const { redis } = book.lanes
      await note(book, 1)
      const field = outcomeField("app.ci", "release")
      for (let number = 2; number < 22; number++) {
        await note(book, number)
        await redis.hset(deliveryKey(book.lanes, `guid-${number}`), field, "x".repeat(900_000))
      }
      const before = await received(book.lanes)
      expect(await book.answer("app.ci", {}, [shaOf(1)])).toEqual(["guid-1"])
      expect((await received(book.lanes)) - before).toBeLessThan(10_000_000)
    }))
})

/** Bytes that this Redis has sent to anybody. */
async function received({ redis }: Lanes): Promise<number> {
  return Number(/total_net_output_bytes:(\d+)/.exec(await redis.info("stats"))?.[1])
}
