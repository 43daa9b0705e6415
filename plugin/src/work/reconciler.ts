import type { TouchedTarget } from "@headrace/shared/plan/touched-keys"
import type { ReconcileOutcome } from "@headrace/shared/reconcile/run/ports"
import type { TargetSizes } from "@headrace/shared/reconcile/run/target-sizes"

/** What the plugin needs of the reconciler, which holds the mirrors and the connections to the clusters. */
export interface Reconciler {
  run(
    cluster: string,
    source: string,
    mode: "incremental" | "full",
    signal: AbortSignal,
  ): Promise<ReconcileOutcome>
  /** The commit at the tip of a source's branch, asked of its origin. */
  tip(source: string, signal: AbortSignal): Promise<string>
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
  /** How large the named ConfigMaps are, for metrics. */
  sizes?: Pick<TargetSizes, "all">
}
