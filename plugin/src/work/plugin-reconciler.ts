import { containedCommits } from "@headrace/shared/git/contained-commits"
import type { Reconciler as OpenReconciler } from "@headrace/shared/reconcile/open-reconciler"
import type { Reconciler } from "./reconciler.ts"

/** The reconciler of the settings as the plugin uses it: runs, and questions to its mirrors. */
export function pluginReconciler(opened: OpenReconciler): Reconciler {
  return {
    run: (cluster, source, mode, signal) => opened.run(cluster, source, mode, signal),
    async tip(source, signal) {
      const repository = await opened.repository(source)
      return (await repository.fetch(signal)).commit
    },
    async contained(source, commit, shas) {
      return containedCommits(await opened.repository(source), commit, shas)
    },
  }
}
