import { createTargetSizes } from "@headrace/shared/reconcile/run/target-sizes"
import { expect, it } from "vitest"
import { createPluginMetrics } from "./plugin-metrics.ts"

it("shows the size of each named ConfigMap at each scrape, and none that is gone", async () => {
  const sizes = createTargetSizes()
  const { registry } = createPluginMetrics(sizes)
  const target = { cluster: "east", namespace: "ci", name: "jobs" }
  sizes.note("release", target, { metadata: target, data: { a: "12345" }, binaryData: { b: "/w==" } }, 1)

  const line = 'headrace_configmap_size_bytes{cluster="east",namespace="ci",name="jobs"}'
  expect(await registry.metrics()).toContain(`${line} 6\n`)
  sizes.forget("east", "release", 2)
  expect(await registry.metrics()).not.toContain(line)
})
