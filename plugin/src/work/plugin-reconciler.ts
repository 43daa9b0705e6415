import { systemClock } from "@headrace/shared/foundation/clock"
import type { SourceRepository, Tip } from "@headrace/shared/git/source-repository"
import type { Lanes } from "@headrace/shared/lanes/open-lanes"
import type { TouchedTarget } from "@headrace/shared/plan/touched-keys"
import { type Reconciler, settingsFor } from "@headrace/shared/reconcile/open-reconciler"
import type { ReturnLook } from "@headrace/shared/reconcile/return-failed"
import type { ReconcileOutcome } from "@headrace/shared/reconcile/run/ports"
import type { TargetSizes } from "@headrace/shared/reconcile/run/target-sizes"
import type { SourceRecord } from "@headrace/shared/record/record"
import { readRecord } from "@headrace/shared/record/record-config-map"
import type { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import { repoOfSource } from "@headrace/shared/settings/repo-of-source"
import type { FleetStatus } from "@headrace/shared/status/fleet-status"
import { touchedByMerge } from "../github/touched-by-merge.ts"
import type { ReadVerdicts } from "../github/watch-live.ts"
import { isBehind } from "./is-behind.ts"
import { readStatus } from "./read-status.ts"
import { readVerdicts } from "./read-verdicts.ts"

/** What the plugin needs of the reconciler, which holds the mirrors and the connections to the clusters. */
export interface PluginReconciler {
  run(
    cluster: string,
    source: string,
    mode: "incremental" | "full",
    signal: AbortSignal,
  ): Promise<ReconcileOutcome>
  /** Returns what has failed of a rollout; absent: no rollout is watched. */
  returnFailed?(cluster: string, source: string, signal: AbortSignal): Promise<ReturnLook>
  /** The record of a source in a cluster as it is now; undefined where there is none. */
  record?(cluster: string, source: string, signal: AbortSignal): Promise<RecordNow | undefined>
  /** How many commits of the branch, as it was last read, a record does not show; undefined: not read yet. */
  behind?(source: string, record: SourceRecord, signal: AbortSignal): Promise<number | undefined>
  /** The commit at the tip of a source's branch, asked of its origin. */
  tip(source: string, signal: AbortSignal): Promise<string>
  /** True when a cluster does not show what it is to show with this branch tip, and nothing keeps it from that. */
  isBehind(cluster: string, source: string, tip: string, signal: AbortSignal): Promise<boolean>
  /** Those of `shas` that are `commit` or its ancestors. */
  contained(source: string, commit: string, shas: readonly string[]): Promise<ReadonlySet<string>>
  /**
   * Which keys of a source's targets the changed paths of a merge touch; none when the merge was in another
   * repository (the one that holds its rules).
   */
  touched(
    source: string,
    merge: { repo: string; sha: string },
    paths: readonly string[],
  ): Promise<readonly TouchedTarget[]>
  /** Whether commits of a source are live, by commit and cluster; absent: nothing is called live. */
  verdicts?: ReadVerdicts
  /** What every cluster shows, judged, for the status page; absent: there is no page. */
  status?(lanes: Lanes): Promise<FleetStatus>
  /** How large the named ConfigMaps are, for metrics. */
  sizes?: Pick<TargetSizes, "all">
}

/** A record as it was read, and whether it is an earlier one than was in force: one that was put back. */
export interface RecordNow {
  record: SourceRecord
  isPutBack: boolean
}

/** Fetches when the mirror does not have it: another plugin may have written what ours has not heard of yet. */
async function hasCommit(repository: SourceRepository, sha: string): Promise<boolean> {
  if ((await repository.seqOf(sha)) !== undefined) return true
  await repository.fetch()
  return (await repository.seqOf(sha)) !== undefined
}

/** 0 when the commit contains the tip, which may have been read before it; 1 where the two have diverged. */
async function commitsBehind(
  repository: SourceRepository,
  tip: Tip,
  commit: string | null,
  signal: AbortSignal,
): Promise<number> {
  if (commit === null) return tip.seq
  const seq = await repository.seqOf(commit, signal)
  if (seq === undefined) return 1
  if (await repository.contains(commit, tip.commit, signal)) return 0
  return (await repository.contains(tip.commit, commit, signal)) ? tip.seq - seq : 1
}

/** The reconciler of the settings as the plugin uses it: runs, and questions to its mirrors. */
export function pluginReconciler(opened: Reconciler, settings: OperatorSettings): PluginReconciler {
  const tips = new Map<string, Tip>()
  return {
    sizes: opened.sizes,
    verdicts: readVerdicts(opened, settings),
    status: readStatus(opened, settings),
    run: (cluster, source, mode, signal) => opened.run(cluster, source, mode, signal),
    returnFailed: (cluster, source, signal) => opened.returnFailed(cluster, source, signal),
    record: (cluster, source, signal) => opened.record(cluster, source, signal),
    async behind(source, { commit }, signal) {
      const tip = tips.get(source)
      return tip && commitsBehind(await opened.repository(source), tip, commit, signal)
    },
    async tip(source, signal) {
      const repository = await opened.repository(source)
      const tip = await repository.fetch(signal)
      tips.set(source, tip)
      return tip.commit
    },
    async isBehind(cluster, source, tip, signal) {
      const kube = await opened.kube(cluster)
      const configMap = await kube.get(settings.namespace, source, signal)
      const rules = settings.sources[source]?.rules
      // Every source is polled: what its rules' source had at its last poll is near enough.
      const rulesTip = typeof rules === "object" ? tips.get(rules.source)?.commit : undefined
      const seen = { commit: tip, rules: rulesTip }
      return configMap === undefined || isBehind(readRecord(configMap), seen, systemClock.now())
    },
    async contained(source, commit, shas) {
      return (await opened.repository(source)).contained(commit, shas)
    },
    async touched(source, { repo, sha }, paths) {
      const own = settings.sources[source]
      if (own === undefined || repoOfSource(own)?.toLowerCase() !== repo.toLowerCase()) return []
      const repository = await opened.repository(source)
      if (!(await hasCommit(repository, sha))) return []
      const { rules } = own
      const rulesRepository = typeof rules === "string" ? repository : await opened.repository(rules.source)
      // What touchedByMerge needs of them is the same for every cluster.
      const [cluster = ""] = Object.keys(settings.clusters)
      return touchedByMerge(repository, rulesRepository, settingsFor(settings, cluster, source), sha, paths)
    },
  }
}
