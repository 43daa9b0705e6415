import type { SourceRepository } from "@headrace/shared/git/source-repository"
import { type Reconciler as OpenReconciler, settingsFor } from "@headrace/shared/reconcile/open-reconciler"
import type { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import { repoOfSource } from "@headrace/shared/settings/repo-of-source"
import { touchedByMerge } from "../github/touched-by-merge.ts"
import type { Reconciler } from "./reconciler.ts"

/** Fetches when the mirror does not have it: another plugin may have written what ours has not heard of yet. */
async function hasCommit(repository: SourceRepository, sha: string): Promise<boolean> {
  if ((await repository.seqOf(sha)) !== undefined) return true
  await repository.fetch()
  return (await repository.seqOf(sha)) !== undefined
}

/** The reconciler of the settings as the plugin uses it: runs, and questions to its mirrors. */
export function pluginReconciler(opened: OpenReconciler, settings: OperatorSettings): Reconciler {
  return {
    sizes: opened.sizes,
    run: (cluster, source, mode, signal) => opened.run(cluster, source, mode, signal),
    async tip(source, signal) {
      const repository = await opened.repository(source)
      return (await repository.fetch(signal)).commit
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
