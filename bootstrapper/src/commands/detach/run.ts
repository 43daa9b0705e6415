import { systemClock } from "@headrace/shared/foundation/clock"
import { namespacesToSearch } from "@headrace/shared/plan/open-namespaces"
import type { Reconciler } from "@headrace/shared/reconcile/open-reconciler"
import { detachSource } from "@headrace/shared/reconcile/operate/adopt-target"
import type { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import {
  type ClusterSource,
  type ClusterSourceOptions,
  chosenClusters,
} from "../../cli/cluster-source-options.ts"
import { forEachClusterSource } from "../../cli/for-each-cluster-source.ts"
import { printResults } from "../../cli/print-results.ts"

/** Runs `detach`, for sources of the settings or others, which were taken out of them before. */
export async function runDetach(options: ClusterSourceOptions, signal: AbortSignal): Promise<number> {
  async function detach(
    reconciler: Reconciler,
    { cluster, source }: ClusterSource,
    settings: OperatorSettings,
  ) {
    const ports = { kube: await reconciler.kube(cluster), clock: systemClock }
    const namespaces = namespacesToSearch(settings.clusters[cluster]?.namespaces)
    const detached = await detachSource(ports, { namespace: settings.namespace, source, namespaces }, signal)
    if (settings.sources[source]) process.stderr.write(stillThere(source))
    return { detached }
  }
  const results = await forEachClusterSource(options, signal, detach, (settings) =>
    chosenClusters(settings, options).flatMap((cluster) =>
      (options.source ?? Object.keys(settings.sources)).map((source) => ({ cluster, source })),
    ),
  )
  return printResults(
    results,
    options.output,
    ({ detached }) => `detached ${detached.join(", ") || "nothing"}`,
  )
}

function stillThere(source: string): string {
  return `${source} is still in these settings: a plugin or job that runs with them takes everything over again\n`
}
