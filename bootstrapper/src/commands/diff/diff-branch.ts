import { problemText } from "@headrace/shared/foundation/problem"
import { namespacesToSearch } from "@headrace/shared/plan/open-namespaces"
import { fetchTips, goalAt } from "@headrace/shared/reconcile/decide/desired-revision"
import { planAt, planAtStamp, unplacedAt } from "@headrace/shared/reconcile/decide/plan-at"
import { refuseClosed } from "@headrace/shared/reconcile/decide/refuse-closed"
import type { Reconciler } from "@headrace/shared/reconcile/open-reconciler"
import { namedPlaces } from "@headrace/shared/reconcile/operate/find-orphans"
import { loadRecord } from "@headrace/shared/reconcile/record/swap-record"
import { placeText } from "@headrace/shared/reconcile/run/cluster-plan"
import { createReconcileMemory } from "@headrace/shared/reconcile/run/memory"
import { ownedKeys } from "@headrace/shared/reconcile/target/owned-keys"
import type { Stamp } from "@headrace/shared/reconcile/target/ownership"
import type { ClusterSource } from "../../cli/cluster-source-options.ts"
import { namedCommit } from "../../cli/named-commit.ts"
import { byPlannedPath } from "./by-planned-path.ts"
import type { Differing } from "./diff-folder.ts"
import { diffTargets } from "./diff-targets.ts"
import { findUnnamed } from "./find-unnamed.ts"

/**
 * Compares the ConfigMaps of one cluster with what a source wants there at its goal (the branch's tip, or what is
 * held), or at another commit of its. The mirror is fetched first. Throws KubeError, `git/…`, `rules/…`.
 */
export async function diffBranch(
  reconciler: Reconciler,
  { cluster, source }: ClusterSource,
  other: string | undefined,
  signal: AbortSignal,
): Promise<Differing> {
  const ports = await reconciler.ports(cluster, source)
  const { kube, repository, settings } = ports
  const memory = ports.memory ?? createReconcileMemory()
  const state = await loadRecord(kube, settings.namespace, source, signal)
  const tips = await fetchTips(ports, signal)
  const goal = goalAt(tips, state?.record)
  const { rulesCommit } = goal
  const revision = {
    ...goal,
    commit: other === undefined ? goal.commit : await namedCommit(ports.repository, other, signal),
  }
  const whole = await planAt(ports, memory, cluster, revision, signal)
  const run = { ports, memory, request: { cluster, source, mode: "full" as const }, signal }
  const root = state?.record.root ?? null
  const plan = await refuseClosed(run, { root, whole, previous: undefined })
  const planOf = (stamp: Stamp) => planAtStamp(ports, memory, cluster, { stamp, rulesCommit }, signal)
  const targets = [...plan.targets.values()].filter(({ view }) => view)
  const differences = await diffTargets(
    kube,
    {
      targets,
      source,
      contents: ({ keys }) =>
        repository.blobs(
          keys.map(({ file }) => file.oid),
          signal,
        ),
      checkedOut: async (files) => {
        const mirror = await reconciler.repository(source)
        return byPlannedPath(files, (paths) => mirror.checkedOut(revision.commit, paths, signal))
      },
      owned: (stamp, { target }) => ownedKeys(settings.foreignKeys, placeText(target), planOf)(stamp),
    },
    signal,
  )
  const namespaces = namespacesToSearch(settings.clusters.get(cluster)?.namespaces)
  const unnamed = await findUnnamed(
    kube,
    { cluster, namespaces, source, only: false },
    namedPlaces(plan),
    signal,
  )
  const unplaced = (await unplacedAt(ports, memory, revision, signal)).map(problemText)
  const refused = [...plan.refused].map(([place, reason]) => `${cluster}/${place}: ${reason}`)
  return {
    differences: [...differences, ...unnamed.differences],
    notes: [...refused, ...unplaced, ...unnamed.notes],
    refused: refused.length + unplaced.length > 0,
  }
}
