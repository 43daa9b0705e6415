import { createTargetSizes } from "@headrace/shared/reconcile/run/target-sizes"
import { newRecord } from "@headrace/shared/record/record"
import { expect, it } from "vitest"
import { createPluginMetrics } from "./plugin-metrics.ts"

const HOUR = 3_600_000
const SHA = "a".repeat(40)
const EAST = { cluster: "east", source: "release" }

it("shows the size of each named ConfigMap at each scrape, and none that is gone or was not met for two hours", async () => {
  const sizes = createTargetSizes()
  let now = 1
  const { registry } = createPluginMetrics({ sizes, now: () => now })
  const target = { cluster: "east", namespace: "ci", name: "jobs" }
  sizes.note("release", target, { metadata: target, data: { a: "12345" }, binaryData: { b: "/w==" } }, 1)

  const line = 'headrace_configmap_size_bytes{cluster="east",namespace="ci",name="jobs"}'
  expect(await registry.metrics()).toContain(`${line} 6\n`)
  now = 2 * HOUR + 1
  expect(await registry.metrics()).not.toContain(line)
  now = 1
  expect(await registry.metrics()).toContain(`${line} 6\n`)
  sizes.forget("east", "release", 2)
  expect(await registry.metrics()).not.toContain(line)
})

it("shows what a record says until it says something else, and a hold until it ends", async () => {
  let now = 1000
  const { registry, records } = createPluginMetrics({ now: () => now })
  records.expect(EAST)
  expect(await registry.metrics()).toContain('read_timestamp_seconds{cluster="east",source="release"} 0\n')
  const record = newRecord("release", { epoch: 1, seq: 1 })
  const hold = {
    commit: SHA,
    rulesCommit: null,
    by: "ann",
    reason: "night",
    until: new Date(HOUR).toISOString(),
  }
  const stopped = { code: "rules/invalid", message: "no", commit: SHA }
  records.note(EAST, { record: { ...record, hold, stopped, failedMore: 2 }, behind: 4, readAt: 1000 })
  const place = 'cluster="east",source="release"'
  const before = await registry.metrics()
  for (const line of [
    `headrace_held{${place}} 1`,
    `headrace_stopped{${place},code="rules/invalid"} 1`,
    `headrace_failed_targets{${place}} 2`,
    `headrace_commits_behind{${place}} 4`,
    `headrace_record_read_timestamp_seconds{${place}} 1`,
  ]) {
    expect(before).toContain(`${line}\n`)
  }
  now = HOUR + 1
  expect(await registry.metrics()).toContain(`headrace_held{${place}} 0\n`)
  records.note(EAST, { record, behind: 0, readAt: now })
  const after = await registry.metrics()
  expect(after).not.toContain("headrace_stopped{")
  expect(after).toContain(`headrace_failed_targets{${place}} 0\n`)
})
