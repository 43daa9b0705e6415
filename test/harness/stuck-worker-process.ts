import { openLanes } from "@headrace/shared/lanes/open-lanes"
import { workLane } from "@headrace/shared/lanes/work-lane"
import { createLog } from "@headrace/shared/observe/log"

/** Takes a wake-up of lane build01 and never ends, until it is killed: `node stuck-worker-process.ts REDIS_URL`. */
const log = createLog("stuck", { level: "silent" })
const lanes = await openLanes({ redis: process.argv[2] ?? "", log })
workLane(
  lanes,
  "build01",
  () => {
    process.stdout.write("working\n")
    return new Promise(() => undefined)
  },
  { log },
)
