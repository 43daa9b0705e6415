import { readSuccesses } from "@headrace/shared/lanes/lane-outcomes"
import type { Lanes } from "@headrace/shared/lanes/open-lanes"
import type { PluginMetrics } from "../observe/plugin-metrics.ts"

/** When a lane last brought a source to its goal; undefined: never, as far as Redis knows. */
export interface LaneAge {
  cluster: string
  source: string
  lastSuccess: number | undefined
}

/** An hourly run, and some. */
const OLDEST_SUCCESS_MS = 65 * 60_000

/** True when the last success is older than an hourly run allows, or there was none. */
export function isLate({ lastSuccess }: LaneAge, now: number): boolean {
  return lastSuccess === undefined || now - lastSuccess > OLDEST_SUCCESS_MS
}

/** The age of every lane's last success, by whichever worker. */
export async function readLaneAges(
  lanes: Lanes,
  clusters: readonly string[],
  sources: readonly string[],
): Promise<LaneAge[]> {
  const perCluster = clusters.map(async (cluster) => {
    const successes = await readSuccesses(lanes, cluster)
    return sources.map((source) => ({ cluster, source, lastSuccess: successes.get(source) }))
  })
  return (await Promise.all(perCluster)).flat()
}

/** Brings the gauges that are read from Redis up to date; leaves them as they are while Redis is away. */
export async function refreshLaneGauges(
  lanes: Lanes,
  clusters: readonly string[],
  sources: readonly string[],
  metrics: PluginMetrics,
): Promise<void> {
  if (lanes.trouble()) return
  for (const { cluster, source, lastSuccess } of await readLaneAges(lanes, clusters, sources)) {
    if (lastSuccess !== undefined) metrics.lastSuccess.set({ cluster, source }, lastSuccess / 1000)
  }
  for (const cluster of clusters) {
    const counts = await lanes.queue(cluster).getJobCounts("wait", "active", "delayed")
    for (const [state, count] of Object.entries(counts)) metrics.wakeUps.set({ cluster, state }, count)
  }
}
