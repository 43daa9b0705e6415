import { METRICS } from "./alert-rules.ts"

/** One panel: what it shows, of which metric its description and unit are, and its queries with their legends. */
interface Panel {
  title: string
  metric: string
  kind?: "timeseries" | "stat" | "table"
  queries: readonly { expr: string; legend: string }[]
}

interface Row {
  title: string
  panels: readonly Panel[]
}

const QUANTILES = [0.5, 0.9, 0.99]

function quantiles(metric: string, by: readonly string[] = []): Panel["queries"] {
  const labels = ["le", ...by].join(", ")
  const legend = by.map((label) => ` {{${label}}}`).join("")
  return QUANTILES.map((quantile) => ({
    expr: `histogram_quantile(${quantile}, sum by (${labels}) (rate(${metric}_bucket[$__rate_interval])))`,
    legend: `p${quantile * 100}${legend}`,
  }))
}

function ofPlaces(metric: string): Panel["queries"] {
  const expr = `max by (cluster, source) (${metric}{cluster=~"$cluster",source=~"$source"})`
  return [{ expr, legend: "{{cluster}} {{source}}" }]
}

const ROWS: readonly Row[] = [
  {
    title: "From commit to disk",
    panels: [
      {
        title: "Commit to a node's disk",
        metric: "headrace_propagation_seconds",
        queries: quantiles("headrace_propagation_seconds"),
      },
      {
        title: "Webhook to answer",
        metric: "headrace_webhook_answer_seconds",
        queries: quantiles("headrace_webhook_answer_seconds"),
      },
      {
        title: "Reconcile, by stage (p90)",
        metric: "headrace_reconcile_seconds",
        queries: [
          {
            expr: "histogram_quantile(0.9, sum by (le, stage) (rate(headrace_reconcile_seconds_bucket[$__rate_interval])))",
            legend: "{{stage}}",
          },
        ],
      },
      {
        title: "Publish on a node",
        metric: "headrace_agent_publish_seconds",
        queries: quantiles("headrace_agent_publish_seconds"),
      },
    ],
  },
  {
    title: "Clusters",
    panels: [
      {
        title: "Commits behind",
        metric: "headrace_commits_behind",
        queries: ofPlaces("headrace_commits_behind"),
      },
      {
        title: "Stopped",
        metric: "headrace_stopped",
        kind: "table",
        queries: [
          {
            expr: 'max by (cluster, source, code) (headrace_stopped{cluster=~"$cluster",source=~"$source"})',
            legend: "{{cluster}} {{source}} {{code}}",
          },
        ],
      },
      { title: "Held", metric: "headrace_held", queries: ofPlaces("headrace_held") },
      {
        title: "Failed targets",
        metric: "headrace_failed_targets",
        queries: ofPlaces("headrace_failed_targets"),
      },
      { title: "Orphans", metric: "headrace_orphans", queries: ofPlaces("headrace_orphans") },
      {
        title: "Age of the last success",
        metric: "headrace_lane_last_success_timestamp_seconds",
        queries: [
          {
            expr: 'time() - max by (cluster, source) (headrace_lane_last_success_timestamp_seconds{cluster=~"$cluster",source=~"$source"})',
            legend: "{{cluster}} {{source}}",
          },
        ],
      },
      {
        title: "Reconciles by result",
        metric: "headrace_reconciles_total",
        queries: [
          {
            expr: 'sum by (result) (rate(headrace_reconciles_total{cluster=~"$cluster",source=~"$source"}[$__rate_interval]))',
            legend: "{{result}}",
          },
        ],
      },
      {
        title: "Largest ConfigMaps",
        metric: "headrace_configmap_size_bytes",
        kind: "table",
        queries: [
          {
            expr: 'topk(20, max by (cluster, namespace, name) (headrace_configmap_size_bytes{cluster=~"$cluster"}))',
            legend: "{{cluster}} {{namespace}}/{{name}}",
          },
        ],
      },
    ],
  },
  {
    title: "Triggers",
    panels: [
      {
        title: "Webhook deliveries",
        metric: "headrace_webhook_deliveries_total",
        queries: [
          {
            expr: "sum by (event, result) (rate(headrace_webhook_deliveries_total[$__rate_interval]))",
            legend: "{{event}} {{result}}",
          },
        ],
      },
      {
        title: "Polls",
        metric: "headrace_polls_total",
        queries: [
          {
            expr: 'sum by (source, result) (rate(headrace_polls_total{source=~"$source"}[$__rate_interval]))',
            legend: "{{source}} {{result}}",
          },
        ],
      },
      {
        title: "Wake-ups that wait",
        metric: "headrace_lane_wake_ups",
        queries: [
          {
            expr: 'max by (cluster, state) (headrace_lane_wake_ups{cluster=~"$cluster"})',
            legend: "{{cluster}} {{state}}",
          },
        ],
      },
      {
        title: "Writes of other programs",
        metric: "headrace_foreign_writes_total",
        queries: [
          {
            expr: 'sum by (cluster, source) (increase(headrace_foreign_writes_total{cluster=~"$cluster",source=~"$source"}[1h]))',
            legend: "{{cluster}} {{source}}",
          },
        ],
      },
    ],
  },
  {
    title: "Nodes",
    panels: [
      {
        title: "Nodes that report",
        metric: "headrace_build_info",
        kind: "stat",
        queries: [
          {
            expr: 'count by (version) (headrace_build_info{program="headrace-agent"})',
            legend: "{{version}}",
          },
        ],
      },
      {
        title: "Projections not ready",
        metric: "headrace_agent_projection_ready",
        queries: [
          {
            expr: "count by (projection) (headrace_agent_projection_ready == 0)",
            legend: "{{projection}}",
          },
        ],
      },
      {
        title: "What keeps them",
        metric: "headrace_agent_projection_problem",
        kind: "table",
        queries: [
          {
            expr: "max by (instance, projection, code) (headrace_agent_projection_problem)",
            legend: "{{instance}} {{projection}} {{code}}",
          },
        ],
      },
      {
        title: "Behind the record",
        metric: "headrace_agent_record_lag",
        queries: [{ expr: "topk(20, headrace_agent_record_lag > 0)", legend: "{{instance}} {{projection}}" }],
      },
      {
        title: "Consumers not notified",
        metric: "headrace_agent_unnotified_consumers",
        queries: [
          {
            expr: "topk(20, headrace_agent_unnotified_consumers > 0)",
            legend: "{{instance}} {{projection}}",
          },
        ],
      },
      {
        title: "Memory",
        metric: "process_resident_memory_bytes",
        queries: [
          {
            expr: "max by (program) (process_resident_memory_bytes * on (instance) group_left (program) headrace_build_info)",
            legend: "largest {{program}}",
          },
        ],
      },
    ],
  },
]

/** Grafana's names of units: https://grafana.com/docs/grafana/latest/panels-visualizations/configure-standard-options */
function grafanaUnit(metric: string, queries: Panel["queries"]): string {
  const unit = METRICS[metric]?.unit
  if (queries.some(({ expr }) => /^sum by .*\(rate\(/.test(expr))) return "cps"
  if (unit === "seconds" || unit === "Unix time in seconds") return "s"
  return unit === "bytes" ? "bytes" : "short"
}

const WIDTH = 24
const COLUMNS = 4
const HEIGHT = 8

/** Every query of the dashboard. */
export function dashboardQueries(): string[] {
  return ROWS.flatMap(({ panels }) => panels.flatMap(({ queries }) => queries.map(({ expr }) => expr)))
}

/** The dashboard as Grafana imports it: schema 39, of Grafana 11. Descriptions and units are those of the metrics. */
export function dashboardJson(): string {
  const panels: object[] = []
  let y = 0
  let id = 0
  for (const { title, panels: inRow } of ROWS) {
    panels.push({
      id: ++id,
      type: "row",
      title,
      collapsed: false,
      panels: [],
      gridPos: { x: 0, y, w: WIDTH, h: 1 },
    })
    y += 1
    for (const [index, panel] of inRow.entries()) {
      const width = WIDTH / COLUMNS
      const x = (index % COLUMNS) * width
      const top = y + Math.floor(index / COLUMNS) * HEIGHT
      panels.push({ id: ++id, gridPos: { x, y: top, w: width, h: HEIGHT }, ...panelJson(panel) })
    }
    y += Math.ceil(inRow.length / COLUMNS) * HEIGHT
  }
  return `${JSON.stringify({ ...FRAME, panels }, undefined, 2)}\n`
}

const SOURCE = { type: "prometheus", uid: "$datasource" }

function panelJson({ title, metric, kind = "timeseries", queries }: Panel): object {
  const isTable = kind === "table"
  return {
    type: kind,
    title,
    description: METRICS[metric]?.help ?? "",
    datasource: SOURCE,
    fieldConfig: { defaults: { unit: grafanaUnit(metric, queries), min: 0 }, overrides: [] },
    targets: queries.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode("A".charCodeAt(0) + index),
      datasource: SOURCE,
      expr,
      legendFormat: legend,
      ...(isTable ? { format: "table", instant: true } : {}),
    })),
    ...(isTable ? { transformations: [{ id: "organize", options: { excludeByName: { Time: true } } }] } : {}),
  }
}

function variable(name: string): object {
  return {
    name,
    type: "query",
    datasource: SOURCE,
    query: { query: `label_values(headrace_record_read_timestamp_seconds, ${name})`, refId: name },
    includeAll: true,
    multi: true,
    refresh: 2,
    current: { text: "All", value: "$__all" },
  }
}

const FRAME = {
  uid: "headrace",
  title: "Headrace",
  tags: ["headrace"],
  schemaVersion: 39,
  editable: true,
  refresh: "30s",
  time: { from: "now-6h", to: "now" },
  templating: {
    list: [
      { name: "datasource", type: "datasource", query: "prometheus" },
      variable("cluster"),
      variable("source"),
    ],
  },
}
