import { openLanes } from "@headrace/shared/lanes/open-lanes"
import { workLane } from "@headrace/shared/lanes/work-lane"
import { createLog } from "@headrace/shared/observe/log"

/**
 * Takes a wake-up of lane build01 and computes, its event loop standing still for STILL_MS at a time, as often as
 * TIMES says; then says how that ended: `node busy-worker-process.ts REDIS_URL STILL_MS TIMES`.
 */
const [, , redis = "", still = "", times = ""] = process.argv
const log = createLog("busy", { level: "silent" })
const lanes = await openLanes({ redis, log })

function compute(milliseconds: number): void {
  const end = performance.now() + milliseconds
  while (performance.now() < end);
}

workLane(
  lanes,
  "build01",
  async (_, signal) => {
    process.stdout.write("working\n")
    for (let time = 0; time < Number(times); time++) {
      compute(Number(still))
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    process.stdout.write(signal.aborted ? `lost: ${signal.reason}\n` : "kept\n")
    return { result: "applied", commit: null, failed: [], error: null }
  },
  { log },
)
