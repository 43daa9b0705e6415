import { KubeError } from "@headrace/shared/kube/kube-error"
import { laneResult } from "@headrace/shared/lanes/lane-outcome"
import { openLanes } from "@headrace/shared/lanes/open-lanes"
import { workLane } from "@headrace/shared/lanes/work-lane"
import { createLog } from "@headrace/shared/observe/log"
import { reconcile } from "@headrace/shared/reconcile/reconcile"
import { laneKey } from "@headrace/shared/status/fleet-facts"
import { readLanes } from "@headrace/shared/status/read-lanes"
import { expect, it } from "vitest"
import { type ReconcileFixture, reconcileFixture } from "../harness/reconcile-fixture.ts"
import { until } from "../harness/until.ts"
import { withRedis } from "../harness/with-redis.ts"

const log = createLog("test", { level: "silent" })

/** What the API server answers to the writes of targets for a while. */
const TROUBLES = {
  "is away": new KubeError("kube/unavailable", "etcdserver: leader changed", { status: 503 }),
  "lacks a right": new KubeError("kube/forbidden", "configmaps is forbidden: no rights", { status: 403 }),
}

it.each(Object.entries(TROUBLES))(
  "a target whose API server %s is written when that ends, without any other wake-up",
  async (_, trouble) => {
    await withRedis(async (redis) => {
      let isBad = false
      const here = reconcileFixture(
        { "a/1.txt": "x" },
        {
          changeKube: (kube) => ({
            ...kube,
            async replace(configMap, signal) {
              if (isBad && configMap.metadata.namespace === "ci") throw trouble
              return kube.replace(configMap, signal)
            },
          }),
        },
      )
      await here.run()
      const lanes = await openLanes({ redis: redis.url, log })
      const outcomes: number[] = []
      const worker = workLane(lanes, "east", (wakeUp, signal) => runOf(here, wakeUp.mode, outcomes, signal), {
        log,
      })
      try {
        here.commit({ "a/1.txt": "y" })
        isBad = true
        await lanes.wake("east", { format: 1, source: "release", mode: "incremental", reason: "webhook" })
        // Tried again while it still fails.
        await until(() => outcomes.length >= 2)
        expect(outcomes.slice(0, 2)).toEqual([1, 1])
        expect((await here.record()).failed.map(({ target }) => target)).toEqual(["ci/alpha"])
        const place = { cluster: "east", source: "release" }
        const next = async () => (await readLanes(lanes, [place])).retries?.get(laneKey("east", "release"))
        // What status says of it, while its turn has not come.
        await until(async () => ((await next()) ?? 0) > Date.now())
        isBad = false
        await until(() => outcomes.at(-1) === 0)
        expect(await here.data("alpha")).toEqual({ "1.txt": "y" })
        expect((await here.record()).failed).toEqual([])
        const jobs = await lanes.queue("east").getJobCounts("wait", "delayed")
        expect(jobs).toMatchObject({ wait: 0, delayed: 0 })
        await until(async () => (await next()) === undefined)
      } finally {
        await worker.close()
        await lanes.close()
      }
    })
  },
)

async function runOf(
  here: ReconcileFixture,
  mode: "incremental" | "full",
  outcomes: number[],
  signal: AbortSignal,
) {
  const request = { cluster: "east", source: "release", mode }
  const outcome = await reconcile(request, here.ports, signal)
  outcomes.push(outcome.failed.length)
  return laneResult(outcome)
}
