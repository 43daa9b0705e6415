import type { Lanes } from "@headrace/shared/lanes/open-lanes"
import { createLog } from "@headrace/shared/observe/log"
import { expect, it } from "vitest"
import { watchRecords } from "./watch-records.ts"

it("wakes the lane of a record that was put back, for a full run, though another cluster does not answer", async () => {
  const stop = new AbortController()
  const woken: string[] = []
  const wake: Lanes["wake"] = async (cluster, { source, mode }) => {
    woken.push(`${cluster} ${source} ${mode}`)
    if (woken.length === 2) stop.abort()
  }
  const reconciler = {
    async isPutBack(cluster: string, source: string) {
      if (cluster === "down") throw new Error("no answer")
      return source === "restored"
    },
  }
  const clusters = ["down", "east"]
  const sources = ["fine", "restored"]
  const log = createLog("test", { level: "silent" })
  const lanes = { wake } as Lanes
  await watchRecords({ lanes, reconciler, clusters, sources, interval: 1, log }, stop.signal)
  expect(woken).toEqual(["east restored full", "east restored full"])
})
