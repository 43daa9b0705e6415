import type { Lanes } from "@headrace/shared/lanes/open-lanes"
import { type LaneWorker, workLane } from "@headrace/shared/lanes/work-lane"
import type { Log } from "@headrace/shared/observe/log"
import type { Traces } from "@headrace/shared/observe/traces"
import { answerDeliveries, type Contained } from "../deliveries/answer-deliveries.ts"
import type { OutcomeSeals } from "../deliveries/outcome-seals.ts"
import type { PluginMetrics } from "../observe/plugin-metrics.ts"
import type { PluginReconciler } from "./plugin-reconciler.ts"
import { reconcileWakeUp } from "./reconcile-wake-up.ts"

/** What the workers report to. */
export interface LaneObservers {
  metrics: PluginMetrics
  traces: Traces | undefined
  seals: OutcomeSeals
  /** A run has ended, in whatever way. */
  onWorked?: (() => void) | undefined
}

/** The workers of all lanes. */
export interface LaneWorkers {
  /** Clusters whose worker does not run now. */
  idle(): string[]
  close(): Promise<void>
}

/** Starts a worker for each cluster's lane; each outcome answers deliveries, and `onAnswered` receives which. */
export function workLanes(
  lanes: Lanes,
  { clusters, sources }: { clusters: readonly string[]; sources: readonly string[] },
  reconciler: PluginReconciler,
  { metrics, traces, seals, onWorked }: LaneObservers,
  onAnswered: (guids: readonly string[]) => Promise<void>,
  log: Log,
): LaneWorkers {
  const workers = new Map<string, LaneWorker>()
  for (const cluster of clusters) {
    const worker = workLane(
      lanes,
      cluster,
      reconcileWakeUp(cluster, { reconciler, lanes, metrics, traces, onWorked, log }),
      {
        log,
        sources,
        async onOutcome({ source }, result) {
          const contained: Contained = (commit, shas) => reconciler.contained(source, commit, shas)
          const answered = await answerDeliveries(lanes, cluster, source, result, { contained, seals })
          await onAnswered(answered)
        },
      },
    )
    workers.set(cluster, worker)
  }
  return {
    idle: () => clusters.filter((cluster) => workers.get(cluster)?.running() !== true),
    async close() {
      await Promise.all([...workers.values()].map((worker) => worker.close()))
    },
  }
}
