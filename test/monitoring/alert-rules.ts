import { readFileSync } from "node:fs"
import { join } from "node:path"
import { agentMetricDefinitions } from "@headrace/agent/report/agent-metric-definitions"
import { pluginMetricDefinitions } from "@headrace/plugin/observe/plugin-metric-definitions"
import type { MetricDefinition } from "@headrace/shared/observe/metric-definition"
import { processMetricDefinitions } from "@headrace/shared/observe/process-metrics"
import { load } from "js-yaml"

export const ROOT = join(import.meta.dirname, "../..")
export const ALERTS_FILE = join(ROOT, "config/monitoring/alerts.yaml")

export interface AlertRule {
  alert: string
  expr: string
  for?: string
  labels: { severity: string }
  annotations: { summary: string; description: string; runbook: string }
}

export interface RuleFile {
  groups: { name: string; rules: AlertRule[] }[]
}

export const METRICS: Readonly<Record<string, MetricDefinition>> = {
  ...pluginMetricDefinitions,
  ...agentMetricDefinitions,
  ...processMetricDefinitions,
}

export function readAlertRules(): AlertRule[] {
  const file = load(readFileSync(ALERTS_FILE, "utf8")) as RuleFile
  return file.groups.flatMap(({ rules }) => rules)
}

/** What Prometheus adds to each series. */
const SCRAPE_LABELS = ["instance", "job", "pod", "namespace"]

/**
 * What is wrong with the metrics and labels that a PromQL expression names, by the definitions of all metrics; a sentence
 * each. No parser of PromQL: names, selectors and label lists are found by their form.
 */
export function problemsOf(expression: string): string[] {
  const named = [...expression.matchAll(/\b((?:headrace|process|nodejs)_[a-z_]+)(?:\{([^}]*)\})?/g)]
  if (named.length === 0) return ["it names no metric of Headrace"]
  const metrics = named.map(([, name = "", selector = ""]) => ({ name: baseName(name), selector }))
  const unknown = metrics.filter(({ name }) => METRICS[name] === undefined)
  const known = metrics.filter(({ name }) => METRICS[name] !== undefined)
  const selected = known.flatMap(({ name, selector }) =>
    [...selector.matchAll(/([a-z]+)\s*(?:=~|!~|!=|=)/g)]
      .map(([, label = ""]) => label)
      .filter((label) => !labelsOf(name).includes(label))
      .map((label) => `${name} has no label ${label}`),
  )
  const all = new Set(known.flatMap(({ name }) => labelsOf(name)))
  const grouped = [...expression.matchAll(/\b(?:by|on|ignoring|without)\s*\(([^)]*)\)/g)]
    .flatMap(([, list = ""]) => list.split(",").map((label) => label.trim()))
    .filter((label) => !all.has(label) && label !== "le")
    .map((label) => `none of its metrics has a label ${label}`)
  return [...unknown.map(({ name }) => `there is no metric ${name}`), ...selected, ...grouped]
}

function labelsOf(name: string): string[] {
  return [...Object.keys(METRICS[name]?.labels ?? {}), ...SCRAPE_LABELS]
}

/** A histogram's series are named after it: https://prometheus.io/docs/concepts/metric_types/#histogram */
function baseName(name: string): string {
  const base = name.replace(/_(bucket|sum|count)$/, "")
  return METRICS[base]?.type === "histogram" ? base : name
}
