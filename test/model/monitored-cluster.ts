import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import type { ConfigMapWriter } from "@headrace/shared/kube/config-map-api"
import { inProcessClient } from "@headrace/shared/kube/embedded/in-process-client"
import { ObjectStore } from "@headrace/shared/kube/embedded/object-store"

/** A cluster of the model: the embedded API server's own state, and a look at every write. */
export interface MonitoredCluster {
  name: string
  /** What workers write through: every write is shown to the watcher. */
  kube: ConfigMapWriter
  /** What hands and tests write through: nobody is told. */
  direct: ConfigMapWriter
  /** Writes since it began. */
  writes: number
}

/** Told of every write that took effect; `after` undefined: it was removed. */
export type Watcher = (
  cluster: MonitoredCluster,
  before: ConfigMap | undefined,
  after: ConfigMap | undefined,
) => Promise<void>

export function monitoredCluster(
  name: string,
  watcher: Watcher,
  direct: ConfigMapWriter = inProcessClient(new ObjectStore({ createNamespaces: true })),
): MonitoredCluster {
  async function seen<Result extends ConfigMap | undefined>(
    configMap: ConfigMap,
    write: () => Promise<Result>,
  ): Promise<Result> {
    const { namespace, name: of } = configMap.metadata
    const before = await direct.get(namespace, of)
    const result = await write()
    if (result?.metadata.resourceVersion !== before?.metadata.resourceVersion) {
      cluster.writes += 1
      await watcher(cluster, before, result)
    }
    return result
  }
  const cluster: MonitoredCluster = {
    name,
    direct,
    writes: 0,
    kube: {
      ...direct,
      create: (configMap) => seen(configMap, () => direct.create(configMap)),
      replace: (configMap) => seen(configMap, () => direct.replace(configMap)),
      async remove(configMap) {
        await seen(configMap, async () => {
          await direct.remove(configMap)
          return undefined
        })
      },
    },
  }
  return cluster
}
