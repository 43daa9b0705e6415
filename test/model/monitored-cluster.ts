import { inProcessClient } from "@headrace/config/local/embedded-kube/in-process-client"
import { ObjectStore, type StoreSnapshot } from "@headrace/config/local/embedded-kube/object-store"
import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import type { ConfigMapWriter } from "@headrace/shared/kube/config-map-api"
import { KubeError } from "@headrace/shared/kube/kube-error"
import { rootOf } from "@headrace/shared/reconcile/store/last-roots"
import { type BadPlaces, noBadPlaces, withBadPlaces } from "./bad-places.ts"
import type { Worker } from "./gates.ts"
import type { ModelSettings } from "./model-settings.ts"
import type { Tally } from "./tally.ts"

/** A write that took effect; `after` undefined: it was removed. */
export interface Write {
  by: Worker["kind"]
  /** What its writer has read when it began. */
  settings: ModelSettings
  before: ConfigMap | undefined
  /** As the writer sent it, with the version that it has now: a webhook may have changed what is kept. */
  after: ConfigMap | undefined
}

/** A cluster of the model: the embedded API server's own state, and a look at every write. */
export interface MonitoredCluster {
  name: string
  /** What workers write through: every write is shown to the watcher. */
  kubeOf(worker: Pick<Worker, "kind">, settings: ModelSettings): ConfigMapWriter
  /** What operators and tests write through: nothing is notified. */
  direct: ConfigMapWriter
  /** Of workers, since it began. */
  writes: Write[]
  bad: BadPlaces
  /** True once a part of the store was removed, or a root says no longer whose it is: `detach` gives a source up. */
  isCollected: boolean
  /** An object as it was before its last write: what an API server that lags still shows. */
  past(namespace: string, name: string): ConfigMap | undefined
  /** `namespace/name` of targets whose stamp is not the one that our last write left there. */
  strange: Set<string>
  /** Its backups; undefined: it has none. */
  etcd: { save(): StoreSnapshot; restore(snapshot: StoreSnapshot): void } | undefined
}

/** Called with every write of a worker. */
export type Watcher = (cluster: MonitoredCluster, write: Write) => Promise<void>

/** What a cluster is made of, beside its name. */
interface ClusterOptions {
  watcher: Watcher
  tally: Tally
  /** Milliseconds since 1970. */
  now(): number
  /** Its API server; undefined: it has one of its own. */
  client: ConfigMapWriter | undefined
}

export function monitoredCluster(
  name: string,
  { watcher, tally, now, client }: ClusterOptions,
): MonitoredCluster {
  const store = new ObjectStore({ createNamespaces: true, now })
  const direct = client ?? inProcessClient(store)
  const earlier = new Map<string, ConfigMap | undefined>()
  const bad = noBadPlaces()
  const server = withBadPlaces(direct, bad)

  async function seen<Result extends ConfigMap | undefined>(
    writer: Pick<Write, "by" | "settings">,
    configMap: ConfigMap,
    call: () => Promise<Result>,
  ): Promise<Result> {
    const { namespace, name: of } = configMap.metadata
    const before = await direct.get(namespace, of)
    const kept = await call().catch((error: unknown) => {
      if (error instanceof KubeError) tally.count(`call: write loses a race (${error.code})`)
      throw error
    })
    if (kept?.metadata.resourceVersion !== before?.metadata.resourceVersion) {
      earlier.set(`${namespace}/${of}`, before)
      const write = { ...writer, before, after: kept && asSent(configMap, kept) }
      cluster.writes.push(write)
      cluster.isCollected ||= kept === undefined || (isRoot(before) && !isRoot(kept))
      // What is made again is another object.
      if (before === undefined) bad.terminating.delete(`${namespace}/${of}`)
      await watcher(cluster, write)
      const isWhole = kept === undefined || !bad.admission.has(namespace)
      if (isWhole) cluster.strange.delete(`${namespace}/${of}`)
      else cluster.strange.add(`${namespace}/${of}`)
    }
    return kept
  }
  const cluster: MonitoredCluster = {
    name,
    direct,
    bad,
    writes: [],
    isCollected: false,
    strange: new Set(),
    past: (namespace, of) => earlier.get(`${namespace}/${of}`),
    etcd: client
      ? undefined
      : {
          save: () => store.snapshot(),
          restore(snapshot) {
            store.restore(snapshot)
            earlier.clear()
          },
        },
    kubeOf: ({ kind: by }, settings) => ({
      ...server,
      create: (configMap) => seen({ by, settings }, configMap, () => server.create(configMap)),
      replace: (configMap) => seen({ by, settings }, configMap, () => server.replace(configMap)),
      async remove(configMap) {
        await seen({ by, settings }, configMap, async () => {
          await server.remove(configMap)
          return undefined
        })
      },
    }),
  }
  return cluster
}

function isRoot(configMap: ConfigMap | undefined): boolean {
  return rootOf(configMap?.metadata.annotations) !== undefined
}

function asSent(sent: ConfigMap, kept: ConfigMap): ConfigMap {
  const { resourceVersion = "" } = kept.metadata
  return { ...sent, metadata: { ...sent.metadata, resourceVersion } }
}
