import { inProcessClient } from "@headrace/config/local/embedded-kube/in-process-client"
import { ObjectStore } from "@headrace/config/local/embedded-kube/object-store"
import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import type { ConfigMapWriter } from "@headrace/shared/kube/config-map-api"
import { KubeError } from "@headrace/shared/kube/kube-error"
import type { Worker } from "./gates.ts"
import type { Tally } from "./tally.ts"

/** A write that took effect; `after` undefined: it was removed. */
export interface Write {
  by: Worker["kind"]
  before: ConfigMap | undefined
  after: ConfigMap | undefined
}

/** A cluster of the model: the embedded API server's own state, and a look at every write. */
export interface MonitoredCluster {
  name: string
  /** What workers write through: every write is shown to the watcher. */
  kubeOf(kind: Worker["kind"]): ConfigMapWriter
  /** What operators and tests write through: nothing is notified. */
  direct: ConfigMapWriter
  /** Of workers, since it began. */
  writes: Write[]
}

/** Called with every write of a worker. */
export type Watcher = (cluster: MonitoredCluster, write: Write) => Promise<void>

export function monitoredCluster(
  name: string,
  watcher: Watcher,
  tally: Tally,
  direct: ConfigMapWriter = inProcessClient(new ObjectStore({ createNamespaces: true })),
): MonitoredCluster {
  async function seen<Result extends ConfigMap | undefined>(
    by: Worker["kind"],
    configMap: ConfigMap,
    call: () => Promise<Result>,
  ): Promise<Result> {
    const { namespace, name: of } = configMap.metadata
    const before = await direct.get(namespace, of)
    const after = await call().catch((error: unknown) => {
      if (error instanceof KubeError) tally.count(`call: write loses a race (${error.code})`)
      throw error
    })
    if (after?.metadata.resourceVersion !== before?.metadata.resourceVersion) {
      cluster.writes.push({ by, before, after })
      await watcher(cluster, { by, before, after })
    }
    return after
  }
  const cluster: MonitoredCluster = {
    name,
    direct,
    writes: [],
    kubeOf: (by) => ({
      ...direct,
      create: (configMap) => seen(by, configMap, () => direct.create(configMap)),
      replace: (configMap) => seen(by, configMap, () => direct.replace(configMap)),
      async remove(configMap) {
        await seen(by, configMap, async () => {
          await direct.remove(configMap)
          return undefined
        })
      },
    }),
  }
  return cluster
}
