import { setTimeout as delay } from "node:timers/promises"
import { it } from "@headrace/test/harness/fixtures"
import { until } from "@headrace/test/harness/until"
import { withRedis } from "@headrace/test/harness/with-redis"
import { describe, expect } from "vitest"
import { UsageError } from "../foundation/errors.ts"
import { createLog } from "../observe/log.ts"
import type { LaneResult } from "./lane-outcome.ts"
import { drawTicket, readOutcomes } from "./lane-outcomes.ts"
import { type Lanes, openLanes } from "./open-lanes.ts"
import type { WakeUp } from "./wake-up.ts"
import { type LaneHandler, workLane } from "./work-lane.ts"

const log = createLog("test", { level: "silent" })
const DONE: LaneResult = { result: "applied", commit: null, failed: [], error: null }

function wakeUp(source = "release", mode: WakeUp["mode"] = "incremental"): WakeUp {
  return { format: 1, source, mode, reason: "test" }
}

/** Longer than a busy machine gives a process no time: no lock of a live worker runs out. */
const LOCK_MS = 30_000

async function withWorker(
  lanes: Lanes,
  handler: LaneHandler,
  fn: () => Promise<void>,
  lockDuration = LOCK_MS,
): Promise<void> {
  const worker = workLane(lanes, "build01", handler, {
    log,
    lockDuration,
    stalledInterval: lockDuration / 2,
    grace: 300,
  })
  try {
    await fn()
  } finally {
    await worker.close()
  }
}

describe("lanes", () => {
  it("make one reconcile of a burst that comes while one is under way, and never drop the last", async ({
    lanes,
  }) => {
    let runs = 0
    const gate = Promise.withResolvers<void>()
    const handler = async () => {
      runs++
      if (runs === 1) await gate.promise
      return DONE
    }
    await withWorker(lanes, handler, async () => {
      await lanes.wake("build01", wakeUp())
      await until(() => runs === 1)
      await Promise.all(Array.from({ length: 200 }, () => lanes.wake("build01", wakeUp())))
      gate.resolve()
      await until(async () => runs === 2 && (await idle(lanes)))
    })
    expect(runs).toBe(2)
  })

  it("keep sources and modes apart", async ({ lanes }) => {
    const seen: string[] = []
    const handler: LaneHandler = async ({ source, mode }) => {
      seen.push(`${source}/${mode}`)
      return DONE
    }
    for (const source of ["a", "b", "a"]) await lanes.wake("build01", wakeUp(source))
    await lanes.wake("build01", wakeUp("a", "full"))
    await withWorker(lanes, handler, () => until(() => seen.length === 3))
    expect(seen.sort()).toEqual(["a/full", "a/incremental", "b/incremental"])
  })

  it("of two installations in one Redis are two, by their prefix", () =>
    withRedis(async ({ url }) => {
      const [mine, other] = await Promise.all([
        openLanes({ redis: url, prefix: "mine", log }),
        openLanes({ redis: url, prefix: "other", log }),
      ])
      const seen: string[] = []
      const noting = (name: string) => async () => {
        seen.push(name)
        return DONE
      }
      await withWorker(mine, noting("mine"), () =>
        withWorker(other, noting("other"), async () => {
          await mine.wake("build01", wakeUp())
          await until(async () => seen.length === 1 && (await idle(mine)))
          await other.wake("build01", wakeUp())
          await until(async () => seen.length === 2 && (await idle(other)))
        }),
      )
      expect(seen).toEqual(["mine", "other"])
      const prefixes = (await mine.redis.keys("*")).map((key) => key.split(":")[0])
      expect([...new Set(prefixes)].sort()).toEqual(["{mine}", "{other}"])
      await Promise.all([mine.close(), other.close()])
    }))

  it("let one worker of a lane run at a time, though many wait", async ({ lanes }) => {
    let now = 0
    let most = 0
    let runs = 0
    const handler = async () => {
      most = Math.max(most, ++now)
      await delay(20)
      now--
      runs++
      return DONE
    }
    await withWorker(lanes, handler, () =>
      withWorker(lanes, handler, async () => {
        for (const source of ["a", "b", "c", "d", "e", "f"]) await lanes.wake("build01", wakeUp(source))
        await until(() => runs === 6)
      }),
    )
    expect(most).toBe(1)
  })

  it("try a failed wake-up again later, and a newer one at once meanwhile", async ({ lanes }) => {
    let runs = 0
    const handler = async () => {
      if (++runs === 1) throw new Error("the cluster is away")
      return DONE
    }
    await withWorker(lanes, handler, async () => {
      await lanes.wake("build01", wakeUp())
      await until(async () => (await lanes.queue("build01").getDelayedCount()) === 1)
      expect((await readOutcomes(lanes, "build01"))[0]).toMatchObject({
        result: "failed",
        error: { message: "the cluster is away" },
      })
      await lanes.wake("build01", wakeUp())
      await until(() => runs === 2)
      expect(await lanes.queue("build01").getDelayedCount()).toBe(1)
      await until(() => runs === 3)
    })
  })

  it("hold at most one retry, however often it fails", async ({ lanes }) => {
    let runs = 0
    const handler = async () => {
      runs++
      throw new Error("still away")
    }
    await withWorker(lanes, handler, async () => {
      for (let sent = 1; sent <= 5; sent++) {
        await lanes.wake("build01", wakeUp())
        await until(() => runs >= sent)
      }
      const before = runs
      await until(() => runs > before)
      await until(async () => (await lanes.queue("build01").getDelayedCount()) === 1)
      const [retry] = await lanes.queue("build01").getDelayed()
      expect(retry?.data.failures).toBeGreaterThan(1)
    })
  })

  it("try a target again soon, though a rare retry of another one waits", async ({ lanes }) => {
    const failures: LaneResult["failed"][] = [
      [{ target: "ci/mutated", reason: "reconcile/changed-on-write: the API server changed it" }],
      [{ target: "ci/late", reason: "kube/forbidden: no rights" }],
    ]
    let runs = 0
    const handler = async () => ({ ...DONE, failed: failures[runs++] ?? [] })
    await withWorker(lanes, handler, async () => {
      await lanes.wake("build01", wakeUp())
      await until(async () => (await lanes.queue("build01").getDelayedCount()) === 1)
      await lanes.wake("build01", wakeUp())
      await until(() => runs === 3)
    })
  })

  it("give up wake-ups of a source that is no longer in the settings", async ({ lanes }) => {
    let runs = 0
    const handler = async () => {
      runs++
      throw new UsageError("settings/unknown-source", "the settings have no source release")
    }
    await withWorker(lanes, handler, async () => {
      await lanes.wake("build01", wakeUp())
      await until(async () => runs === 3 && (await idle(lanes)))
    })
  })

  it("hand an unfinished wake-up back when the worker closes", async ({ lanes }) => {
    let aborted = false
    const stuck: LaneHandler = async (_, signal) => {
      await delay(60_000, undefined, { signal }).catch((error: unknown) => {
        aborted = true
        throw error
      })
      return DONE
    }
    await withWorker(lanes, stuck, async () => {
      await lanes.wake("build01", wakeUp())
      await until(async () => (await lanes.queue("build01").getActiveCount()) === 1)
    })
    expect(aborted).toBe(true)

    let runs = 0
    await withWorker(
      lanes,
      async () => {
        runs++
        return DONE
      },
      () => until(() => runs === 1),
    )
  })

  it("abort the work when its lock is lost, and do it again", async ({ lanes }) => {
    const reasons: unknown[] = []
    const handler: LaneHandler = async (_, signal) => {
      if (reasons.length > 0) return DONE
      await delay(120_000, undefined, { signal }).catch(() => undefined)
      reasons.push(signal.reason)
      throw signal.reason
    }
    const loseLock = async () => {
      await lanes.wake("build01", wakeUp())
      await until(async () => (await lanes.queue("build01").getActiveCount()) === 1)
      const [job] = await lanes.queue("build01").getActive()
      await lanes.redis.del(lanes.key("lane-build01", `${job?.id}`, "lock"))
      await until(async () => (await readOutcomes(lanes, "build01")).length === 1)
    }
    await withWorker(lanes, handler, loseLock, 1000)
    expect(reasons[0]).toMatchObject({ code: "lanes/lock-lost" })
  })

  it("answer a ticket only with work that began after it was drawn", async ({ lanes }) => {
    const gate = Promise.withResolvers<void>()
    let runs = 0
    const handler = async () => {
      if (++runs === 1) await gate.promise
      return DONE
    }
    await withWorker(lanes, handler, async () => {
      await lanes.wake("build01", wakeUp())
      await until(() => runs === 1)
      const ticket = await drawTicket(lanes)
      await lanes.wake("build01", wakeUp())
      gate.resolve()
      await until(async () => (await readOutcomes(lanes, "build01")).length === 1)
      await until(async () => ((await readOutcomes(lanes, "build01"))[0]?.ticket ?? 0) >= ticket)
      expect(runs).toBe(2)
    })
  })
})

async function idle(lanes: Lanes): Promise<boolean> {
  const counts = await lanes.queue("build01").getJobCounts("wait", "active", "delayed")
  return Object.values(counts).every((count) => count === 0)
}
