import type { ObjectMeta } from "../../foundation/config-map.ts"
import { isLostRace } from "../../kube/compare-and-swap.ts"
import type { ConfigMapWriter } from "../../kube/config-map-api.ts"
import { planAt } from "../decide/plan-at.ts"
import { loadRecord } from "../record/record-state.ts"
import { type ClusterPlan, placeText } from "../run/cluster-plan.ts"
import { createReconcileMemory } from "../run/memory.ts"
import type { ReconcilePorts } from "../run/ports.ts"
import { PROW_SELECTOR, SOURCE_LABEL } from "../target/ownership.ts"

/**
 * The ConfigMaps that carry a source's label in a cluster while its rules, at the commit that the record shows,
 * name them no more: rules that were removed or got `view: false`, partitions that were taken away (Prow's B7).
 * They keep what they hold. None while nothing is shown, or work is under way.
 */
export async function findOrphans(
  ports: ReconcilePorts,
  place: { cluster: string; source: string },
  signal: AbortSignal,
): Promise<ObjectMeta[]> {
  const { kube, settings } = ports
  const state = await loadRecord(kube, settings.namespace, place.source, signal)
  if (state === undefined || state.record.commit === null || state.record.intents.length > 0) return []
  const { commit, rulesCommit } = state.record
  const memory = ports.memory ?? createReconcileMemory()
  const plan = await planAt(ports, memory, place.cluster, { commit, rulesCommit }, signal)
  const namespaces = settings.clusters.get(place.cluster)?.namespaces ?? [""]
  return listOrphans(kube, { source: place.source, namespaces }, namedPlaces(plan), signal)
}

/** `namespace/name` of every ConfigMap that a plan asks for, or has a mistake about; not of those with `view: false`. */
export function namedPlaces(plan: Pick<ClusterPlan, "targets" | "refused">): Set<string> {
  const written = [...plan.targets].filter(([, { view }]) => view).map(([place]) => place)
  return new Set([...written, ...plan.refused.keys()])
}

/** The ConfigMaps that carry a source's label in these namespaces (`""`: all) and are not among the named ones. */
export async function listOrphans(
  kube: Pick<ConfigMapWriter, "listMetadata">,
  { source, namespaces }: { source: string; namespaces: readonly string[] },
  named: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<ObjectMeta[]> {
  return listUnnamed(kube, namespaces, `${SOURCE_LABEL}=${source}`, named, signal)
}

/** The ConfigMaps that Prow wrote in these namespaces, that no source has taken over and nothing names: its own orphans (B7). */
export async function listProwOrphans(
  kube: Pick<ConfigMapWriter, "listMetadata">,
  namespaces: readonly string[],
  named: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<ObjectMeta[]> {
  return listUnnamed(kube, namespaces, PROW_SELECTOR, named, signal)
}

async function listUnnamed(
  kube: Pick<ConfigMapWriter, "listMetadata">,
  namespaces: readonly string[],
  labelSelector: string,
  named: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<ObjectMeta[]> {
  const lists = await Promise.all(
    namespaces.map((namespace) => kube.listMetadata(namespace, { labelSelector }, signal)),
  )
  return lists.flat().filter((metadata) => !named.has(placeText(metadata)))
}

/** Removes orphans as they were found; one that was written since is left alone. Gives `namespace/name` of each removed. */
export async function pruneOrphans(
  kube: ConfigMapWriter,
  orphans: readonly ObjectMeta[],
  signal: AbortSignal,
): Promise<string[]> {
  const removed: string[] = []
  for (const orphan of orphans) {
    try {
      await kube.remove({ metadata: orphan }, signal)
      removed.push(placeText(orphan))
    } catch (error) {
      if (!isLostRace(error)) throw error
    }
  }
  return removed
}
