import { UsageError } from "@headrace/shared/foundation/errors"
import { adoptTarget } from "@headrace/shared/reconcile/operate/adopt-target"
import { findAdoptable } from "@headrace/shared/reconcile/operate/find-adoptable"
import { placeText } from "@headrace/shared/reconcile/run/cluster-plan"
import type { ClusterSourceOptions } from "../../cli/cluster-source-options.ts"
import { forEachClusterSource } from "../../cli/for-each-cluster-source.ts"
import { printResults } from "../../cli/print-results.ts"

export interface AdoptOptions extends ClusterSourceOptions {
  target?: string[]
  rule?: string[]
}

/** Runs `adopt`. */
export async function runAdopt(options: AdoptOptions, signal: AbortSignal): Promise<number> {
  const named = options.target?.map(parseTarget)
  const results = await forEachClusterSource(options, signal, async (reconciler, clusterSource) => {
    const { cluster, source } = clusterSource
    const ports = await reconciler.ports(cluster, source)
    const targets = named ?? (await findAdoptable(ports, clusterSource, options.rule, signal))
    for (const target of targets) await adoptTarget(ports, source, target, signal)
    return { adopted: targets.map(placeText) }
  })
  return printResults(results, options.output, ({ adopted }) => `adopted ${adopted.join(", ") || "nothing"}`)
}

function parseTarget(text: string): { namespace: string; name: string } {
  const [namespace, name, ...rest] = text.split("/")
  if (namespace && name && rest.length === 0) return { namespace, name }
  throw new UsageError("adopt/target", `${text}: expected NAMESPACE/NAME`)
}
