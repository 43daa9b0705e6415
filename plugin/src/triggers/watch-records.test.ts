import { HeadraceError } from "@headrace/shared/foundation/errors"
import type { Lanes } from "@headrace/shared/lanes/open-lanes"
import { createLog } from "@headrace/shared/observe/log"
import { newRecord, type SourceRecord } from "@headrace/shared/record/record"
import { it } from "@headrace/test/harness/fixtures"
import { until } from "@headrace/test/harness/until"
import { expect } from "vitest"
import { createKnownRecords } from "../observe/known-records.ts"
import { watchRecords } from "./watch-records.ts"

const log = createLog("test", { level: "silent" })
const away = new HeadraceError("lanes/redis-unavailable", "Redis is away")
const SHA = "a".repeat(40)

/** Reads the records that `recordOf` gives until the lane of one was woken so many times. */
async function watch(recordOf: (source: string) => SourceRecord | undefined, wakes: number) {
  const stop = new AbortController()
  const woken: string[] = []
  const wake: Lanes["wake"] = async (cluster, { source, mode }) => {
    woken.push(`${cluster} ${source} ${mode}`)
    if (woken.length === wakes) stop.abort()
  }
  const reconciler = {
    async record(cluster: string, source: string) {
      if (cluster === "down") throw new Error("no answer")
      const record = recordOf(source)
      return record && { record, isPutBack: source === "restored" }
    },
    behind: async () => 3,
  }
  const records = createKnownRecords()
  const places = { clusters: ["down", "east"], sources: ["fine", "restored"] }
  await watchRecords(
    { lanes: { wake, trouble: () => away } as Lanes, reconciler, ...places, records, interval: 1, log },
    stop.signal,
  )
  return { woken, records }
}

it("wakes the lane of a record that was put back, for a full run, though another cluster does not answer", async () => {
  const { woken } = await watch((source) => newRecord(source, { epoch: 1, seq: 1 }), 2)
  expect(woken).toEqual(["east restored full", "east restored full"])
})

it("notes each record for the metrics, one that is gone and one that cannot be read as well", async () => {
  const hold = { commit: SHA, rulesCommit: null, by: "ann", reason: "night", until: null }
  const stopped = { code: "guard/deleted-keys", message: "too many", commit: SHA }
  const failed = [{ target: "ci/jobs", reason: "too large", since: "2026-01-01T00:00:00Z" }]
  let isThere = true
  const { records } = await watch((source) => {
    const known = isThere || source === "restored"
    isThere = source === "restored" ? false : isThere
    return known
      ? { ...newRecord(source, { epoch: 1, seq: 1 }), hold, stopped, failed, failedMore: 2 }
      : undefined
  }, 2)
  const nothing = { held: false, stopped: undefined, failed: 0, behind: undefined }
  const readAt = expect.toSatisfy((at: number) => at > 0)
  expect(records.readings(Date.now())).toEqual([
    { cluster: "down", source: "fine", ...nothing, readAt: 0 },
    { cluster: "down", source: "restored", ...nothing, readAt: 0 },
    { cluster: "east", source: "fine", ...nothing, readAt },
    {
      ...{ cluster: "east", source: "restored", readAt },
      ...{ held: true, stopped: "guard/deleted-keys", failed: 3, behind: 3 },
    },
  ])
})

it("has failed targets tried again that no lane has an outcome of, once for however many reads", async ({
  lanes,
}) => {
  const stop = new AbortController()
  let reads = 0
  const failed = [{ target: "ci/jobs", reason: "kube/forbidden: no rights", since: "2026-01-01T00:00:00Z" }]
  const reconciler = {
    async record() {
      reads += 1
      return { record: { ...newRecord("release", { epoch: 1, seq: 1 }), failed }, isPutBack: false }
    },
  }
  const places = { clusters: ["east"], sources: ["release"], records: createKnownRecords() }
  const watching = watchRecords({ lanes, reconciler, ...places, interval: 1, log }, stop.signal)
  await until(() => reads > 5)
  stop.abort()
  await watching
  const [retry, ...others] = await lanes.queue("east").getDelayed()
  expect(others).toEqual([])
  expect(retry?.data.wakeUp).toMatchObject({ source: "release", mode: "incremental", reason: "retry" })
  expect(retry?.opts.delay).toBeLessThanOrEqual(2000)
})
