import { connectCluster } from "@headrace/shared/kube/client-node/connect-cluster"
import { openLanes } from "@headrace/shared/lanes/open-lanes"
import { workLane } from "@headrace/shared/lanes/work-lane"
import { createLog } from "@headrace/shared/observe/log"

/**
 * Takes a wake-up of lane build01, reads ConfigMap ci/counter and writes it, says what came of that, and does
 * nothing more: `node writing-worker-process.ts REDIS_URL KUBECONFIG LOCK_MS`.
 */
const [, , redis = "", kubeconfig = "", lock = ""] = process.argv
const log = createLog("writing", { level: "silent" })
const lanes = await openLanes({ redis, log })
const kube = await connectCluster("build01", { kubeconfig }, log)
const lockDuration = Number(lock)
let runs = 0

async function write(signal: AbortSignal): Promise<void> {
  process.stdout.write("reading\n")
  const counter = await kube.get("ci", "counter", signal)
  if (counter === undefined) throw new Error("the test makes ci/counter")
  await kube.replace({ ...counter, data: { written: "yes" } }, signal)
}

workLane(
  lanes,
  "build01",
  async (_, signal) => {
    // It takes the wake-up that it handed back, too.
    if (++runs > 1) return { result: "noop", commit: null, failed: [], error: null }
    try {
      await write(signal)
    } catch (error) {
      process.stdout.write(`stopped: ${error}\n`)
      throw error
    }
    process.stdout.write("written\n")
    return { result: "applied", commit: null, failed: [], error: null }
  },
  { log, lockDuration, stalledInterval: lockDuration / 4 },
)
