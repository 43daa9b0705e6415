import pLimit from "p-limit"
import { configMapBytes } from "../../foundation/config-map.ts"
import { hasCode } from "../../foundation/errors.ts"
import { readConfigMap } from "../../kube/read-config-map.ts"
import { retryTransient, transientRetry } from "../../kube/retry-transient.ts"
import { VERSION_KEY } from "../../plan/judge-keys.ts"
import { namespacesToSearch } from "../../plan/open-namespaces.ts"
import { type ClusterPlan, placeText } from "../run/cluster-plan.ts"
import type { Run } from "../run/run.ts"
import { listOrphans } from "../target/list-orphans.ts"

const CONCURRENT_READS = 6

/**
 * How many keys those named ConfigMaps of the source hold that a plan does not name, by `namespace/name`. Where they may not be
 * listed or read none is known, and none can be pruned. Throws `kube/…`.
 */
export async function unnamedTargets(
  { ports, request, signal }: Run,
  plan: Pick<ClusterPlan, "targets" | "refused">,
): Promise<ReadonlyMap<string, number>> {
  const { settings } = ports
  const namespaces = namespacesToSearch(settings.clusters.get(request.cluster)?.namespaces)
  const named = new Set([...plan.targets.keys(), ...plan.refused.keys()])
  const limit = pLimit(CONCURRENT_READS)
  try {
    const place = { source: request.source, namespaces }
    const found = await retryTransient(transientRetry(ports.clock), signal, () =>
      listOrphans(ports.kube, place, named, signal),
    )
    return new Map(await Promise.all(found.map((one) => limit(() => keysIn(one)))))
  } catch (error) {
    if (hasCode(error, "kube/forbidden")) return new Map()
    throw error
  }

  async function keysIn(one: { namespace: string; name: string }): Promise<[string, number]> {
    const configMap = await readConfigMap(ports, one, signal)
    const keys = configMap ? [...configMapBytes(configMap).keys()] : []
    return [placeText(one), keys.filter((key) => key !== VERSION_KEY).length]
  }
}
