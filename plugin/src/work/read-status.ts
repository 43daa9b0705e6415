import { systemClock } from "@headrace/shared/foundation/clock"
import { shareNext } from "@headrace/shared/foundation/share-next"
import type { Lanes } from "@headrace/shared/lanes/open-lanes"
import type { Reconciler } from "@headrace/shared/reconcile/open-reconciler"
import { createReconcileMemory } from "@headrace/shared/reconcile/run/memory"
import type { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import { collectFleet } from "@headrace/shared/status/collect-fleet"
import { commandContextOf } from "@headrace/shared/status/command-context"
import type { FleetStatus } from "@headrace/shared/status/fleet-status"
import { judgeFleet } from "@headrace/shared/status/judge-fleet"
import { readLanes } from "@headrace/shared/status/read-lanes"
import { recentOrphans } from "./recent-orphans.ts"

/** What does not answer by then is one line of the page. */
const ANSWER_MS = 2000
/** Readers who come together are shown the same. */
const KEPT_MS = 2000

/**
 * Reads what every cluster of the settings shows, as `status` does. One collection runs at a time, and its answer is kept
 * for two seconds, however many readers there are.
 */
export function readStatus(
  opened: Pick<Reconciler, "kube" | "repository" | "orphans">,
  settings: OperatorSettings,
): (lanes: Lanes) => Promise<FleetStatus> {
  const memory = createReconcileMemory()
  const orphans = recentOrphans(opened)
  const clusters = Object.keys(settings.clusters)
  const sources = Object.keys(settings.sources)
  const clusterSources = clusters.flatMap((cluster) => sources.map((source) => ({ cluster, source })))
  const context = commandContextOf(settings, null)
  let kept: { status: FleetStatus; at: number } | undefined

  async function collect(lanes: Lanes): Promise<FleetStatus> {
    const { kube, repository } = opened
    const ports = {
      ...{ settings, kube, repository, memory, orphans },
      clock: systemClock,
      lanes: () => readLanes(lanes, clusterSources),
    }
    const options = { clusterSources, fetch: true, limit: ANSWER_MS }
    return judgeFleet(await collectFleet(ports, options, new AbortController().signal), context)
  }

  let used: Lanes | undefined
  const next = shareNext(async () => {
    if (used === undefined) throw new Error("no lanes to read")
    kept = { status: await collect(used), at: Date.now() }
    return kept.status
  })
  return async (lanes) => {
    used = lanes
    if (kept && Date.now() - kept.at < KEPT_MS) return kept.status
    return next()
  }
}
