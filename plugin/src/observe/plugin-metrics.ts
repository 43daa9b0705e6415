import type { TargetSizes } from "@headrace/shared/reconcile/run/target-sizes"
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client"

export type PluginMetrics = ReturnType<typeof createPluginMetrics>

/** The plugin's metrics, in a registry of their own; `sizes` are asked for at each scrape. */
export function createPluginMetrics(sizes?: Pick<TargetSizes, "all">) {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  new Gauge({
    name: "headrace_configmap_size_bytes",
    help: "Size of a named ConfigMap's values, of 1048576 that fit, as this plugin last read or wrote it.",
    labelNames: ["cluster", "namespace", "name"],
    registers,
    collect() {
      this.reset()
      for (const { target, bytes } of sizes?.all() ?? []) this.set({ ...target }, bytes)
    },
  })
  return {
    registry,
    deliveries: new Counter({
      name: "headrace_webhook_deliveries_total",
      help: "Webhook deliveries by event and what became of them.",
      labelNames: ["event", "result"],
      registers,
    }),
    answerSeconds: new Histogram({
      name: "headrace_webhook_answer_seconds",
      help: "From a delivery's headers to its answer.",
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
      registers,
    }),
    reconcileSeconds: new Histogram({
      name: "headrace_reconcile_seconds",
      help: "Time of a reconcile, whole (stage total) and by stage.",
      labelNames: ["cluster", "stage"],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
      registers,
    }),
    reconciles: new Counter({
      name: "headrace_reconciles_total",
      help: "Reconciles by result.",
      labelNames: ["cluster", "source", "result"],
      registers,
    }),
    configMapWrites: new Counter({
      name: "headrace_configmap_writes_total",
      help: "Objects created or replaced by reconciles, records not counted.",
      labelNames: ["cluster"],
      registers,
    }),
    failedTargets: new Gauge({
      name: "headrace_failed_targets",
      help: "Targets that hold their last good content because they cannot be written.",
      labelNames: ["cluster", "source"],
      registers,
    }),
    orphans: new Gauge({
      name: "headrace_orphans",
      help: "ConfigMaps of ours that no rule names any more, as the last full run found them; they keep what they hold.",
      labelNames: ["cluster", "source"],
      registers,
    }),
    foreignWrites: new Counter({
      name: "headrace_foreign_writes_total",
      help: "Writes of other programs to our targets, found and repaired.",
      labelNames: ["cluster", "source"],
      registers,
    }),
    lastSuccess: new Gauge({
      name: "headrace_lane_last_success_timestamp_seconds",
      help: "When a lane last brought a source to its goal, by whichever worker.",
      labelNames: ["cluster", "source"],
      registers,
    }),
    laneLate: new Gauge({
      name: "headrace_lane_late",
      help: "1 when a lane's last success with a source is older than an hourly run allows, or there was none.",
      labelNames: ["cluster", "source"],
      registers,
    }),
    wakeUps: new Gauge({
      name: "headrace_lane_wake_ups",
      help: "Wake-ups in a lane's queue by state.",
      labelNames: ["cluster", "state"],
      registers,
    }),
    redisTrouble: new Gauge({
      name: "headrace_redis_trouble",
      help: "1 while Redis cannot be used, by the code of the reason; no series while it can.",
      labelNames: ["code"],
      registers,
    }),
    laneRepairs: new Counter({
      name: "headrace_lane_repairs_total",
      help: "How often this plugin repaired a lane of which Redis had lost a part.",
      labelNames: ["cluster"],
      registers,
    }),
    polls: new Counter({
      name: "headrace_polls_total",
      help: "Looks at a source's branch.",
      labelNames: ["source", "result"],
      registers,
    }),
  }
}
