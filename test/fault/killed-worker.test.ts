import { spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { hasLiveWorker } from "@headrace/shared/lanes/lane-heartbeat"
import { openLanes } from "@headrace/shared/lanes/open-lanes"
import { workLane } from "@headrace/shared/lanes/work-lane"
import { createLog } from "@headrace/shared/observe/log"
import { expect, it } from "vitest"
import { until } from "../harness/until.ts"
import { withRedis } from "../harness/with-redis.ts"

const log = createLog("test", { level: "silent" })
const STUCK = join(import.meta.dirname, "../harness/stuck-worker-process.ts")

it(
  "gives the wake-up of a worker that was killed to another, by the settings that ship",
  { timeout: 90_000 },
  () =>
    withRedis(async ({ url }) => {
      const lanes = await openLanes({ redis: url, log })
      const stuck = spawn(process.execPath, ["--conditions=source", "--no-warnings", STUCK, url], {
        stdio: ["ignore", "pipe", "inherit"],
      })
      try {
        await lanes.wake("build01", { format: 1, source: "release", mode: "incremental", reason: "test" })
        await once(stuck.stdout, "data")
        expect(await hasLiveWorker(lanes, "build01")).toBe(true)
        stuck.kill("SIGKILL")
        const killed = performance.now()

        let done = false
        const worker = workLane(
          lanes,
          "build01",
          async () => {
            done = true
            return { result: "noop", commit: null, failed: [], error: null }
          },
          { log },
        )
        await until(() => done, 60_000)
        process.stdout.write(`taken over after ${Math.round(performance.now() - killed)} ms\n`)
        await worker.close()
      } finally {
        stuck.kill("SIGKILL")
        await lanes.close()
      }
    }),
)
