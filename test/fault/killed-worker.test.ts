import { type ChildProcess, spawn } from "node:child_process"
import { join } from "node:path"
import { hasLiveWorker } from "@headrace/shared/lanes/lane-heartbeat"
import { type Lanes, openLanes } from "@headrace/shared/lanes/open-lanes"
import { workLane } from "@headrace/shared/lanes/work-lane"
import { createLog } from "@headrace/shared/observe/log"
import { expect, it } from "vitest"
import { until } from "../harness/until.ts"
import { withRedis } from "../harness/with-redis.ts"

const log = createLog("test", { level: "silent" })
/** A first reconcile of 10,000 files blocks the event loop for a quarter of a second at most. */
const STILL_MS = 900
/** Longer in all than a lock lasts. */
const TIMES = 5

interface Rival {
  lanes: Lanes
  child: ChildProcess
  /** What the other process has said so far. */
  output(): string
  /** How often this process has worked the lane. */
  runs(): number
}

/** Another process that works lane build01, and a worker here that waits to take over; both as they ship. */
async function withRival(
  program: string,
  args: readonly string[],
  test: (rival: Rival) => Promise<void>,
): Promise<void> {
  await withRedis(async ({ url }) => {
    const lanes = await openLanes({ redis: url, log })
    const file = join(import.meta.dirname, "../harness", program)
    const child = spawn(process.execPath, ["--conditions=source", "--no-warnings", file, url, ...args], {
      stdio: ["ignore", "pipe", "inherit"],
    })
    let output = ""
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString()
    })
    let runs = 0
    try {
      await lanes.wake("build01", { format: 1, source: "release", mode: "incremental", reason: "test" })
      await until(() => output.includes("working"))
      const worker = workLane(
        lanes,
        "build01",
        async () => {
          runs++
          return { result: "noop", commit: null, failed: [], error: null }
        },
        { log },
      )
      await test({ lanes, child, output: () => output, runs: () => runs })
      await worker.close()
    } finally {
      child.kill("SIGKILL")
      await lanes.close()
    }
  })
}

it("gives the wake-up of a worker that was killed to another", () =>
  withRival("stuck-worker-process.ts", [], async ({ lanes, child, runs }) => {
    expect(await hasLiveWorker(lanes, "build01")).toBe(true)
    child.kill("SIGKILL")
    const killed = performance.now()
    await until(() => runs() > 0)
    process.stdout.write(`taken over after ${Math.round(performance.now() - killed)} ms\n`)
  }))

it("does not take a worker for dead whose event loop is busy", () =>
  withRival("busy-worker-process.ts", [String(STILL_MS), String(TIMES)], async ({ output, runs }) => {
    await until(() => /kept|lost/.test(output()))
    expect(output()).toContain("kept")
    expect(runs()).toBe(0)
  }))
