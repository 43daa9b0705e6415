import type { ApprovePorts } from "@headrace/shared/reconcile/operate/hold-source"
import type { SourceRecord } from "@headrace/shared/record/record"
import type { ClusterSourceOptions } from "./cluster-source-options.ts"
import { forEachClusterSource } from "./for-each-cluster-source.ts"
import { printResults } from "./print-results.ts"

/** Changes the hold of every chosen record and prints what each shows then; gives the exit code. */
export async function changeRecords(
  options: ClusterSourceOptions,
  signal: AbortSignal,
  change: (ports: ApprovePorts) => Promise<SourceRecord>,
): Promise<number> {
  const results = await forEachClusterSource(
    options,
    signal,
    async (reconciler, { cluster, source }, { namespace }) => {
      const { kube, clock, repository, rulesRepository, settings } = await reconciler.ports(cluster, source)
      await repository.fetch(signal)
      const record = await change({ kube, clock, repository, rulesRepository, settings, namespace, source })
      const { commit, hold, approved } = record
      return { commit, hold, approved }
    },
  )
  return printResults(results, options.output, ({ commit, hold, approved }) => {
    const held = hold ? `held at ${hold.commit}` : "follows its branch"
    return `${held}, shows ${commit ?? "nothing"}${approved ? `, ${approved.commit} approved` : ""}`
  })
}
