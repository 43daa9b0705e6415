import type { ReconcileOutcome } from "@headrace/shared/reconcile/reconcile-ports"

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
}
