import { join } from "node:path"
import { agentMetricDefinitions } from "@headrace/agent/report/agent-metric-definitions"
import { createAgentMetrics } from "@headrace/agent/report/agent-metrics"
import { pluginMetricDefinitions } from "@headrace/plugin/observe/plugin-metric-definitions"
import { createPluginMetrics } from "@headrace/plugin/observe/plugin-metrics"
import type { MetricDefinition } from "@headrace/shared/observe/metric-definition"
import { createProcessMetrics, processMetricDefinitions } from "@headrace/shared/observe/process-metrics"
import type { Registry } from "prom-client"
import { describe, expect, it } from "vitest"
import { type MetricsOfProgram, metricsPage } from "./metrics-page.ts"

const PAGE = join(import.meta.dirname, "../../docs/reference/metrics.md")
const ABOUT_PLUGIN = `Gauges of what clusters show come from records and from Redis, so every replica has the same, whichever one works the
lanes: \`max by (cluster, source) (headrace_held)\`. Counters and histograms are of one replica: sum them.`
const ABOUT_AGENT = "Of one node."
const ABOUT_PROCESS = `Both programs have these. The plugin also has prom-client's metrics of Node (\`nodejs_eventloop_lag_seconds\`,
\`nodejs_gc_duration_seconds\` and others); the agent does not, since collecting them wakes an idle process.
\`headrace-agent git-sync\` serves git-sync's metrics by git-sync's names.`

const PROGRAMS: MetricsOfProgram[] = [
  { title: "Plugin", about: ABOUT_PLUGIN, definitions: pluginMetricDefinitions },
  { title: "Agent", about: ABOUT_AGENT, definitions: agentMetricDefinitions },
  { title: "Process", about: ABOUT_PROCESS, definitions: processMetricDefinitions },
]
const ALL = PROGRAMS.flatMap(({ definitions }) => Object.entries<MetricDefinition>(definitions))

function registries(): Registry[] {
  const state = {
    projections: () => [],
    watch: () => ({ feeds: new Map(), gitTroubles: new Map() }),
    recordSeq: () => 1,
    isConfined: () => false,
    now: Date.now,
  }
  return [
    createPluginMetrics().registry,
    createAgentMetrics(state).registry,
    createProcessMetrics({ program: "test", version: "0" }).registry,
  ]
}

describe("metrics", () => {
  it("are all in docs/reference/metrics.md (vitest run test/reference --update=all rewrites it)", async () => {
    await expect(metricsPage(PROGRAMS)).toMatchFileSnapshot(PAGE)
  })

  it("are registered, each by its definition, and no other is", async () => {
    const served = (await Promise.all(registries().map((registry) => registry.getMetricsAsJSON()))).flat()
    expect(served.map(({ name }) => name).sort()).toEqual(ALL.map(([name]) => name).sort())
    for (const [name, { type, help }] of ALL) {
      expect(served.find((metric) => metric.name === name)).toMatchObject({ type, help })
    }
  })

  it("have Prometheus' names: base units, _total for counters alone", () => {
    for (const [name, { type, unit }] of ALL) {
      expect(name).toMatch(/^(headrace|process|nodejs)_[a-z][a-z_]*[a-z]$/)
      expect(name.endsWith("_total"), name).toBe(type === "counter")
      expect(/_seconds(_total)?$/.test(name), name).toBe(unit.endsWith("seconds"))
      expect(/_bytes(_total)?$/.test(name), name).toBe(unit === "bytes")
      expect(name.endsWith("_timestamp_seconds") || name === "process_start_time_seconds", name).toBe(
        unit === "Unix time in seconds",
      )
    }
  })

  it("have no label that grows with merges, and explain each that they have", () => {
    for (const [name, { labels, help }] of ALL) {
      for (const [label, meaning] of Object.entries(labels)) {
        expect(label, name).not.toMatch(/commit|revision|sha|digest|token|pull|guid/)
        expect(meaning, name).toMatch(/\S/)
      }
      expect(help, name).toMatch(/^\S.*[.]$/)
    }
  })
})
