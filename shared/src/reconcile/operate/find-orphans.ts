import type { ObjectMeta } from "../../foundation/config-map.ts"
import { HeadraceError, hasCode } from "../../foundation/errors.ts"
import { isLostRace } from "../../kube/compare-and-swap.ts"
import type { ConfigMapWriter } from "../../kube/config-map-api.ts"
import { namespacesToSearch } from "../../plan/open-namespaces.ts"
import type { SourceRecord } from "../../record/record.ts"
import { compareTokens } from "../../record/token.ts"
import { planAt } from "../decide/plan-at.ts"
import { loadRecord } from "../record/swap-record.ts"
import { type ClusterPlan, placeText } from "../run/cluster-plan.ts"
import { createReconcileMemory } from "../run/memory.ts"
import type { ReconcilePorts } from "../run/ports.ts"
import type { SourceRevision } from "../run/revision.ts"
import { listOrphans } from "../target/list-orphans.ts"

/** ConfigMaps that a source wrote and its rules name no more. */
export interface Orphans {
  found: ObjectMeta[]
  /** Why they are not known, when they are not: then none is found. */
  unknown: string | undefined
}

/** What is in force, as far as its orphans go: they are those of one commit under one set of rules and settings. */
type Shown = Pick<SourceRecord, "commit" | "token">

/**
 * The ConfigMaps that carry a source's label in a cluster while its rules, at the commit that the record shows,
 * name them no more: rules that were removed or got `view: false`, partitions that were taken away (Prow's B7).
 * They keep what they hold. Not known while nothing is shown, work is under way or the source is stopped, and where these
 * settings are not those that the record was written with: a plan that was not judged and applied names nobody's orphans.
 * While a rollout is under way, what it tries and what it may return to name theirs too.
 * `shown`: what was applied; when the record shows something else by now, they are not known either.
 *
 * Throws `kube/…` (`kube/forbidden`, which names the missing right), `git/…`, `rules/…`.
 */
export async function findOrphans(
  ports: ReconcilePorts,
  place: { cluster: string; source: string },
  signal: AbortSignal,
  shown?: Shown,
): Promise<Orphans> {
  const { kube, settings } = ports
  const state = await loadRecord(kube, settings.namespace, place.source, signal)
  const revisions = state ? shownRevisions(state.record, shown) : "there is no record"
  if (typeof revisions === "string") return { found: [], unknown: revisions }
  const memory = ports.memory ?? createReconcileMemory()
  const named = new Set<string>()
  for (const { commit, rulesCommit, rules } of revisions) {
    const plan = await planAt(ports, memory, place.cluster, { commit, rulesCommit }, signal)
    if (plan.digest !== rules) {
      return { found: [], unknown: "these rules and settings are not those that are in force" }
    }
    for (const target of namedPlaces(plan)) named.add(target)
  }
  const namespaces = namespacesToSearch(settings.clusters.get(place.cluster)?.namespaces)
  const found = await listOrphans(kube, { source: place.source, namespaces }, named, signal)
  return { found, unknown: undefined }
}

interface RuledRevision extends SourceRevision {
  rules: string | null
}

/** What the record shows, what it tries and what it may return to; or why that cannot be compared with. */
function shownRevisions(record: SourceRecord, shown: Shown | undefined): RuledRevision[] | string {
  const { commit, rulesCommit, rules, token } = record
  if (commit === null) return "nothing is shown yet"
  if (record.stopped) return `the source is stopped: ${record.stopped.code}`
  if (record.intents.length > 0) return "work is under way"
  const isShown = shown === undefined || (shown.commit === commit && compareTokens(shown.token, token) === 0)
  if (!isShown) return "the record shows another commit by now"
  const others = [record.candidate, record.previous].filter((one) => one !== null)
  return [{ commit, rulesCommit, rules }, ...others]
}

/** `namespace/name` of every ConfigMap that a plan asks for, or has a mistake about; not of those with `view: false`. */
export function namedPlaces(plan: Pick<ClusterPlan, "targets" | "refused">): Set<string> {
  const written = [...plan.targets].filter(([, { view }]) => view).map(([place]) => place)
  return new Set([...written, ...plan.refused.keys()])
}

/**
 * Removes orphans as they were found; one that was written since is left alone. Gives `namespace/name` of each removed.
 * Throws `orphans/may-not-remove` where the account has no right to.
 */
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
      if (hasCode(error, "kube/forbidden")) throw mayNotRemove(orphan, error)
      if (!isLostRace(error)) throw error
    }
  }
  return removed
}

function mayNotRemove({ namespace, name }: ObjectMeta, cause: unknown): HeadraceError {
  return new HeadraceError(
    "orphans/may-not-remove",
    `the right to delete ConfigMap ${namespace}/${name} is missing: verb delete, resource configmaps, namespace ${namespace}`,
    { hint: `Bind the ClusterRole headrace-view-pruner in namespace ${namespace}.`, cause },
  )
}
