import { setTimeout as delay } from "node:timers/promises"
import { isDeepStrictEqual } from "node:util"
import type { LaneResult } from "@headrace/shared/lanes/lane-outcome"
import { type Lanes, openLanes } from "@headrace/shared/lanes/open-lanes"
import { scheduleLane } from "@headrace/shared/lanes/schedule-lane"
import type { WakeUp } from "@headrace/shared/lanes/wake-up"
import { workLane } from "@headrace/shared/lanes/work-lane"
import { createLog } from "@headrace/shared/observe/log"
import pLimit from "p-limit"
import { describe, expect, it } from "vitest"
import { until } from "../harness/until.ts"
import { withRedis } from "../harness/with-redis.ts"

const log = createLog("test", { level: "silent" })
const STATES = ["waiting", "active", "retry"] as const
/** Scenarios at a time; each waits for the most part. */
const AT_ONCE = 12
const DONE: LaneResult = { result: "applied", commit: null, failed: [], error: null }
const FAILED: LaneResult = { ...DONE, result: "failed" }

const RETYPED = [
  "wait",
  "active",
  "paused",
  "delayed",
  "prioritized",
  "marker",
  "repeat",
  "completed",
  "meta",
  "id",
  "stalled",
  "events",
  "de:a/incremental",
  "dn:a/incremental",
  "repeat:full-a",
]

type State = (typeof STATES)[number]

interface Scene {
  lanes: Lanes
  /** How often the lane was worked. */
  runs(): number
  wake(source?: string): Promise<void>
}

/**
 * A lane with two sources in a state: a wake-up waits without a worker; one is worked and one waits behind it; one has
 * failed, and its retry waits. `lose` runs in that state, `then` with a worker that succeeds.
 */
async function withLaneIn(
  state: State,
  { url, prefix }: { url: string; prefix: string },
  lose: (lanes: Lanes) => Promise<void>,
  then: (scene: Scene) => Promise<void>,
): Promise<void> {
  const lanes = await openLanes({ redis: url, prefix, log })
  let runs = 0
  let failing = state === "retry"
  const gate = Promise.withResolvers<void>()
  async function handler(): Promise<LaneResult> {
    runs++
    if (state === "active" && runs === 1) await gate.promise
    return failing ? FAILED : DONE
  }
  async function wake(source = "a"): Promise<void> {
    const wakeUp: WakeUp = { format: 1, source, mode: "incremental", reason: "test" }
    await lanes.wake("east", wakeUp)
  }
  const work = () => workLane(lanes, "east", handler, { log, sources: ["a", "b"] })
  await scheduleLane(lanes, "east", ["a"], "0 0 1 1 *")
  let worker = state === "waiting" ? undefined : work()
  await wake()
  if (state !== "waiting") await until(() => runs > 0)
  if (state === "active") await wake()
  // The retry and the schedule, and nothing under way.
  const counts = () => lanes.queue("east").getJobCounts("active", "delayed")
  if (state === "retry") await until(async () => isDeepStrictEqual(await counts(), { active: 0, delayed: 2 }))
  await lose(lanes)
  failing = false
  gate.resolve()
  worker ??= work()
  try {
    await then({ lanes, wake, runs: () => runs })
  } finally {
    await worker.close()
    await lanes.close()
  }
}

describe("a lane of which Redis lost", () => {
  it.each(STATES)("any one key is worked with the next wake-ups (%s)", (state) =>
    withRedis(async ({ url }) => {
      let keys: string[] = []
      await withLaneIn(
        state,
        { url, prefix: "all" },
        async (lanes) => {
          keys = (await lanes.redis.keys(lanes.key("*"))).map((key) => key.slice("{all}:".length)).sort()
        },
        async () => undefined,
      )
      expect(keys).toEqual(expect.arrayContaining(["format", "lane-east:id", "lane-east:meta"]))
      expect(keys.length).toBeGreaterThan(8)
      // A worker that waits takes the marker at once: it is rarely met, and cannot be waited for.
      if (state === "retry") keys = keys.filter((key) => !key.endsWith(":marker"))

      const limit = pLimit(AT_ONCE)
      const stuck: string[] = []
      async function play(key: string, number: number): Promise<void> {
        const lose = async (lanes: Lanes) => {
          // Some live for a moment only, and come again.
          await until(async () => (await lanes.redis.del(await present(lanes, key))) === 1)
        }
        await withLaneIn(state, { url, prefix: `lose${number}` }, lose, async ({ wake, runs }) => {
          for (let times = 0; times < 2; times++) {
            const before = runs()
            await wake()
            await until(() => runs() > before).catch(() => stuck.push(`${key}, wake-up ${times}`))
            await delay(50)
          }
        })
      }
      // Which ids Redis gives is its own matter.
      await Promise.all(keys.map((key, number) => limit(play, key.replace(/\d{10,}/g, "ID"), number)))
      expect(stuck).toEqual([])
    }),
  )

  it.each(STATES)(
    "the type of one key is worked without another wake-up (%s)",
    { timeout: 240_000 },
    (state) =>
      withRedis(async ({ url }) => {
        const limit = pLimit(AT_ONCE)
        const stuck: string[] = []
        async function play(part: string): Promise<void> {
          const retype = async (lanes: Lanes) => {
            const key = lanes.key("lane-east", part)
            const isText = part === "id" || part.startsWith("de:")
            await lanes.redis.del(key)
            await (isText ? lanes.redis.lpush(key, "theirs") : lanes.redis.set(key, "theirs"))
          }
          await withLaneIn(state, { url, prefix: `type-${part}` }, retype, async ({ lanes, wake, runs }) => {
            const before = runs()
            await until(() => runs() > (state === "retry" ? before : 0)).catch(() =>
              stuck.push(`${part}, by itself`),
            )
            for (let times = 0; times < 2; times++) {
              const worked = runs()
              await wake().catch((error: unknown) => stuck.push(`${part}: ${String(error)}`))
              await until(() => runs() > worked).catch(() => stuck.push(`${part}, wake-up ${times}`))
            }
            if (lanes.repairs().get("east") === 0) stuck.push(`${part}: no repair`)
          })
        }
        await Promise.all(RETYPED.map((part) => limit(play, part)))
        expect(stuck).toEqual([])
      }),
  )

  it.each(["theirs", "", "-1", "9".repeat(19)])(
    "its count of wake-ups, which is %j now, works on",
    (theirs) =>
      withRedis(({ url }) => {
        const overwrite = async (lanes: Lanes) => {
          await lanes.redis.set(lanes.key("lane-east", "id"), theirs)
        }
        return withLaneIn("waiting", { url, prefix: "count" }, overwrite, async ({ wake, runs }) => {
          await until(() => runs() > 0)
          const worked = runs()
          await wake()
          await until(() => runs() > worked)
        })
      }),
  )

  it("the wake-up itself is looked at without another one", () =>
    withRedis(async ({ url }) => {
      for (const part of ["wait", "JOB"]) {
        const lose = async (lanes: Lanes) => {
          const [job] = await lanes.queue("east").getWaiting()
          await lanes.redis.del(lanes.key("lane-east", part === "JOB" ? String(job?.id) : part))
        }
        await withLaneIn("waiting", { url, prefix: part }, lose, ({ runs }) => until(() => runs() > 0))
      }
    }))

  it("everything, or is paused by another program, is looked at within seconds", () =>
    withRedis(async ({ url }) => {
      const nothing = async () => undefined
      await withLaneIn("waiting", { url, prefix: "emptied" }, nothing, async ({ lanes, wake, runs }) => {
        await until(() => runs() > 0)
        for (let times = 0; times < 5; times++) {
          const before = runs()
          const woken = wake()
          // At any point of the way: before the job, between its steps, while it is worked.
          await delay(times)
          await lanes.redis.flushall()
          await woken
          await until(() => runs() > before)
        }
        await lanes.queue("east").pause()
        const before = runs()
        await wake("b")
        await until(() => runs() > before)
      })
    }))
})

/** The key with the id that this lane's jobs have, where the name has ID in its place. */
async function present(lanes: Lanes, name: string): Promise<string> {
  const wanted = lanes.key(name)
  const found = await lanes.redis.keys(lanes.key("*"))
  return found.sort().find((key) => key.replace(/\d{10,}/g, "ID") === wanted) ?? ""
}
