import { isLate, readLaneAges } from "@headrace/shared/lanes/lane-ages"
import type { Lanes } from "@headrace/shared/lanes/open-lanes"
import type { PluginMetrics } from "./plugin-metrics.ts"

/** Brings the gauges that are read from Redis up to date; leaves them as they are while Redis is away. */
export async function refreshLaneGauges(
  lanes: Lanes,
  clusters: readonly string[],
  sources: readonly string[],
  metrics: PluginMetrics,
): Promise<void> {
  const trouble = lanes.trouble()
  metrics.redisTrouble.reset()
  if (trouble) metrics.redisTrouble.set({ code: trouble.code }, 1)
  metrics.laneRepairs.reset()
  for (const [cluster, count] of lanes.repairs()) metrics.laneRepairs.inc({ cluster }, count)
  if (trouble) return
  for (const age of await readLaneAges(lanes, clusters, sources)) {
    const { cluster, source, lastSuccess } = age
    if (lastSuccess !== undefined) metrics.lastSuccess.set({ cluster, source }, lastSuccess / 1000)
    metrics.laneLate.set({ cluster, source }, isLate(age, Date.now()) ? 1 : 0)
  }
  for (const cluster of clusters) {
    const counts = await lanes.queue(cluster).getJobCounts("wait", "active", "delayed")
    for (const [state, count] of Object.entries(counts)) metrics.wakeUps.set({ cluster, state }, count)
  }
}
