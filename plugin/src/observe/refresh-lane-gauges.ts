import { isLate, readLaneAges } from "@headrace/shared/lanes/lane-ages"
import { readOrphans } from "@headrace/shared/lanes/lane-outcomes"
import type { Lanes } from "@headrace/shared/lanes/open-lanes"
import type { PluginMetrics } from "./plugin-metrics.ts"

/**
 * Brings the gauges that are read from Redis up to date. While Redis is away, times and counts of the last full runs stay
 * as they were read, since they are still true; how many wake-ups wait is not known then.
 */
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
  metrics.laneResumes.reset()
  for (const [cluster, count] of lanes.resumes()) metrics.laneResumes.inc({ cluster }, count)
  metrics.wakeUps.reset()
  if (trouble) return
  for (const age of await readLaneAges(lanes, clusters, sources)) {
    const { cluster, source, lastSuccess } = age
    if (lastSuccess !== undefined) metrics.lastSuccess.set({ cluster, source }, lastSuccess / 1000)
    metrics.laneLate.set({ cluster, source }, isLate(age, Date.now()) ? 1 : 0)
  }
  for (const cluster of clusters) await refreshLane(lanes, cluster, sources, metrics)
}

async function refreshLane(
  lanes: Lanes,
  cluster: string,
  sources: readonly string[],
  { wakeUps, orphans }: PluginMetrics,
): Promise<void> {
  const counts = await lanes.queue(cluster).getJobCounts("wait", "active", "delayed")
  for (const [state, count] of Object.entries(counts)) wakeUps.set({ cluster, state }, count)
  for (const [source, count] of await readOrphans(lanes, cluster)) {
    if (sources.includes(source)) orphans.set({ cluster, source }, count)
  }
}
