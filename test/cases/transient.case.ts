import { setTimeout as delay } from "node:timers/promises"
import { KubeError } from "@headrace/shared/kube/kube-error"
import { laneResult } from "@headrace/shared/lanes/lane-outcome"
import { openLanes } from "@headrace/shared/lanes/open-lanes"
import { workLane } from "@headrace/shared/lanes/work-lane"
import { createLog } from "@headrace/shared/observe/log"
import { reconcile } from "@headrace/shared/reconcile/reconcile"
import { it } from "vitest"
import { reconcileFixture } from "../harness/reconcile-fixture.ts"
import { withRedis } from "../harness/with-redis.ts"

it(
  "API server is away for the writes of one target",
  async () =>
    withRedis(async (redis) => {
      const log = createLog("t", { level: "silent" })
      let down = false
      const here = reconcileFixture(
        { "a/1.txt": "x" },
        {
          changeKube: (kube) => ({
            ...kube,
            async replace(cm, s) {
              if (down && cm.metadata.namespace === "ci")
                throw new KubeError("kube/unavailable", "etcdserver: leader changed", { status: 503 })
              return kube.replace(cm, s)
            },
          }),
        },
      )
      await here.run()
      const lanes = await openLanes({ redis: redis.url, log })
      let runs = 0
      const worker = workLane(
        lanes,
        "east",
        async (w, signal) => {
          runs++
          const o = await reconcile({ cluster: "east", source: "release", mode: w.mode }, here.ports, signal)
          console.log(
            "| run",
            runs,
            o.result,
            "failed",
            o.failed.map((f) => f.reason),
          )
          return laneResult(o)
        },
        { log },
      )
      here.commit({ "a/1.txt": "y" })
      down = true
      await lanes.wake("east", { format: 1, source: "release", mode: "incremental", reason: "webhook" })
      while (runs < 1) await delay(50)
      await delay(500)
      down = false
      console.log(
        "| API server back; jobs",
        JSON.stringify(await lanes.queue("east").getJobCounts("wait", "active", "delayed")),
      )
      await delay(20_000)
      console.log("| 20 s later: runs", runs, "alpha", JSON.stringify(await here.data("alpha")))
      await worker.close()
      await lanes.close()
    }),
  60000,
)
