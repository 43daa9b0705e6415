import type { LaneResult } from "@headrace/shared/lanes/lane-outcome"
import type { Lanes } from "@headrace/shared/lanes/open-lanes"
import { workLane } from "@headrace/shared/lanes/work-lane"
import { createLog } from "@headrace/shared/observe/log"
import type { ReconcileOutcome } from "@headrace/shared/reconcile/run/ports"
import { newRecord } from "@headrace/shared/record/record"
import { it } from "@headrace/test/harness/fixtures"
import { withLanes } from "@headrace/test/harness/with-lanes"
import { describe, expect } from "vitest"
import { type ApplyThroughLanesOptions, applyThroughLanes } from "./apply-through-lanes.ts"

const log = createLog("test", { level: "silent" })
const SHA = "a".repeat(40)

const OUTCOME: ReconcileOutcome = {
  result: "applied",
  record: newRecord("release", { epoch: 0, seq: 1 }),
  commit: SHA,
  token: { epoch: 0, seq: 1 },
  stopped: null,
  heldUntil: null,
  written: 1,
  failed: [],
  foreign: [],
  stages: { fetch: 0, plan: 0, store: 0, view: 0, record: 0 },
}

function applyOptions(lanes: Lanes, more: Partial<ApplyThroughLanesOptions> = {}): ApplyThroughLanesOptions {
  return {
    lanes,
    clusters: ["build01", "build02"],
    sources: ["release", "tools"],
    mode: "full",
    reason: "operator",
    openReconciler: async () => ({ run: async () => OUTCOME }),
    timeLimit: 20_000,
    log,
    ...more,
  }
}

const never = new AbortController().signal

describe("applyThroughLanes", () => {
  it("works lanes itself that nobody works, with one reconciler", async ({ redis: { url } }) => {
    await withLanes(url, async (lanes) => {
      let opened = 0
      const seen: string[] = []
      const openReconciler = async () => {
        opened++
        return {
          async run(cluster: string, source: string, mode: string) {
            seen.push(`${cluster}/${source}/${mode}`)
            return OUTCOME
          },
        }
      }
      const applied = await applyThroughLanes(applyOptions(lanes, { openReconciler }), never)

      expect(opened).toBe(1)
      expect(seen.sort()).toEqual([
        "build01/release/full",
        "build01/tools/full",
        "build02/release/full",
        "build02/tools/full",
      ])
      expect(applied.map(({ own, result }) => [own, result?.commit])).toEqual(Array(4).fill([true, SHA]))
    })
  })

  it("leaves a lane to the worker that lives, and gives that worker's outcome", async ({
    redis: { url },
  }) => {
    await withLanes(url, async (lanes) => {
      const stopped: LaneResult = {
        result: "stopped",
        commit: SHA,
        failed: [{ target: "ci/config", reason: "too large" }],
        error: { code: "guard/tripped", message: "30 keys would go" },
      }
      const worker = workLane(lanes, "build01", async () => stopped, { log })
      try {
        const applied = await applyThroughLanes(applyOptions(lanes), never)
        expect(applied.map(({ cluster, own }) => [cluster, own])).toEqual([
          ["build01", false],
          ["build01", false],
          ["build02", true],
          ["build02", true],
        ])
        expect(applied[0]?.result).toEqual(stopped)
      } finally {
        await worker.close()
      }
    })
  })

  it("does not take an outcome from before it asked", async ({ redis: { url } }) => {
    await withLanes(url, async (lanes) => {
      const options = applyOptions(lanes, { clusters: ["build01"], sources: ["release"] })
      await applyThroughLanes(options, never)
      let runs = 0
      const openReconciler = async () => ({
        async run() {
          runs++
          return OUTCOME
        },
      })
      await applyThroughLanes({ ...options, openReconciler }, never)
      expect(runs).toBe(1)
    })
  })

  it("asks again when Redis comes back empty", async ({ redis }) => {
    await withLanes(redis.url, async (lanes) => {
      let runs = 0
      const openReconciler = async () => ({
        async run() {
          runs++
          if (runs === 1) {
            await redis.kill()
            await redis.restart()
            throw new Error("this run was lost with its Redis")
          }
          return OUTCOME
        },
      })
      const options = applyOptions(lanes, { clusters: ["build01"], sources: ["release"], openReconciler })
      const applied = await applyThroughLanes(options, never)
      expect(applied[0]?.result?.result).toBe("applied")
      expect(runs).toBeGreaterThan(1)
    })
  })

  it.for([
    ["lanes/redis-full", "CONFIG SET maxmemory 1"],
    ["lanes/redis-no-writes", "REPLICAOF 127.0.0.1 1"],
    ["lanes/redis-rights", "ACL SETUSER default -eval"],
  ] as const)("ends at once with %s, which no waiting cures", async ([code, command], { redis: { url } }) => {
    await withLanes(url, async (lanes) => {
      const [name = "", ...parameters] = command.split(" ")
      await lanes.patientRedis().call(name, ...parameters)
      const applied = applyThroughLanes(applyOptions(lanes, { timeLimit: 600_000 }), never)
      await expect(applied).rejects.toMatchObject({ code })
    })
  })

  it("says which lanes gave no outcome in time", async ({ redis: { url } }) => {
    await withLanes(url, async (lanes) => {
      const openReconciler = async () => ({
        run: (_cluster: string, _source: string, _mode: string, signal: AbortSignal) =>
          new Promise<ReconcileOutcome>((_, reject) => {
            signal.addEventListener("abort", () => reject(signal.reason))
          }),
      })
      const options = { clusters: ["build01"], sources: ["release"], openReconciler, timeLimit: 500 }
      const applied = await applyThroughLanes(applyOptions(lanes, options), never)
      expect(applied).toEqual([{ cluster: "build01", source: "release", result: undefined, own: true }])
    })
  })
})
