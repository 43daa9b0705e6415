import type { ConfigMap } from "../foundation/config-map.ts"
import type { ConfigMapWriter } from "../kube/config-map-api.ts"
import { SOURCE_LABEL } from "./ownership.ts"
import { placeText, planAt } from "./plan-at.ts"
import { createReconcileMemory } from "./reconcile-memory.ts"
import type { ReconcilePorts } from "./reconcile-ports.ts"
import { isLostRace, loadRecord } from "./record-state.ts"

/**
 * The ConfigMaps that carry a source's label in a cluster while its rules, at the commit that the record shows,
 * name them no more: rules that were removed, partitions that were taken away (Prow's B7). They keep what they
 * hold. None while nothing is shown, or work is under way.
 */
export async function findOrphans(
  ports: ReconcilePorts,
  place: { cluster: string; source: string },
  signal: AbortSignal,
): Promise<ConfigMap[]> {
  const { kube, settings } = ports
  const state = await loadRecord(kube, settings.namespace, place.source, signal)
  if (state === undefined || state.record.commit === null || state.record.intents.length > 0) return []
  const { commit, rulesCommit } = state.record
  const memory = ports.memory ?? createReconcileMemory()
  const plan = await planAt(ports, memory, place.cluster, { commit, rulesCommit }, signal)
  const namespaces = settings.clusters.get(place.cluster)?.namespaces ?? [""]
  const labelSelector = `${SOURCE_LABEL}=${place.source}`
  const lists = await Promise.all(
    namespaces.map((namespace) => kube.list(namespace, { labelSelector }, signal)),
  )
  return lists
    .flatMap(({ items }) => items)
    .filter(
      ({ metadata }) => !plan.targets.has(placeText(metadata)) && !plan.refused.has(placeText(metadata)),
    )
}

/** Removes orphans as they were found; one that was written since is left alone. Gives `namespace/name` of each removed. */
export async function pruneOrphans(
  kube: ConfigMapWriter,
  orphans: readonly ConfigMap[],
  signal: AbortSignal,
): Promise<string[]> {
  const removed: string[] = []
  for (const orphan of orphans) {
    try {
      await kube.remove(orphan, signal)
      removed.push(placeText(orphan.metadata))
    } catch (error) {
      if (!isLostRace(error)) throw error
    }
  }
  return removed
}
