import type { MetricDefinition, MetricDefinitions } from "@headrace/shared/observe/metric-definition"

export interface MetricsOfProgram {
  title: string
  about: string
  definitions: MetricDefinitions
}

/** docs/reference/metrics.md: every metric by program, with its type, unit, labels and meaning. */
export function metricsPage(programs: readonly MetricsOfProgram[]): string {
  const sections = programs.map(({ title, about, definitions }) => {
    const metrics = Object.entries(definitions).map(([name, definition]) => metricText(name, definition))
    return `## ${title}\n\n${about}\n\n${metrics.join("\n")}`
  })
  return `# Metrics

<!-- Generated from the metric definitions of each program: vitest run test/reference --update=all. Do not edit. -->

Each program serves them on \`/metrics\`: the plugin on the port of \`--ops-listen\` (9473 in the manifests), the agent on
\`listen\` of its file (9474). No label grows with merges: a commit is never a label, its count of ancestors (seq) is a
value. [Alerts and a dashboard](../how-to/monitor.md) are built of them.

${sections.join("\n")}`
}

function metricText(name: string, { type, unit, help, labels, buckets }: MetricDefinition): string {
  const rows = Object.entries(labels).map(([label, meaning]) => `- label \`${label}\`: ${meaning}`)
  const bounds = buckets ? [`- buckets up to: ${buckets.join(", ")}`] : []
  const facts = [`- ${type}, in: ${unit}`, ...rows, ...bounds]
  return `### <a id="${name}"></a>${name}\n\n${help}\n\n${facts.join("\n")}\n`
}
