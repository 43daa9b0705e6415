import type { Reconciler } from "@headrace/shared/reconcile/open-reconciler"
import type { Orphans } from "@headrace/shared/reconcile/operate/find-orphans"

/** To find them is to list every ConfigMap of ours in a cluster: once a minute, however often browsers load the page. */
const KEPT_MS = 60_000

/** Finds the ConfigMaps that no rule names any more; what was found counts for a minute, what is not known is asked again. */
export function recentOrphans(
  { orphans }: Pick<Reconciler, "orphans">,
  now: () => number = Date.now,
): (cluster: string, source: string, signal: AbortSignal) => Promise<Orphans> {
  const found = new Map<string, { orphans: Orphans; at: number }>()
  return async (cluster, source, signal) => {
    const key = `${cluster} ${source}`
    const kept = found.get(key)
    if (kept && now() - kept.at < KEPT_MS) return kept.orphans
    found.delete(key)
    const at = now()
    const current = await orphans(cluster, source, signal)
    if (current.unknown === undefined) found.set(key, { orphans: current, at })
    return current
  }
}
