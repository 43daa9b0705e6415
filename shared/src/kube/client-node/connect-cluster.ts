import type { V1ConfigMap } from "@kubernetes/client-node"
import { systemClock } from "../../foundation/clock.ts"
import type { ConfigMap } from "../../foundation/config-map.ts"
import type { RetryPolicy } from "../../foundation/retry.ts"
import type { Log } from "../../observe/log.ts"
import type { ConfigMapWriter } from "../config-map-api.ts"
import { KubeError } from "../kube-error.ts"
import type { LeaseReader } from "../lease-api.ts"
import { configMapPath, selectionQuery } from "../protocol/config-map-path.ts"
import { neededVersion } from "../protocol/needed-version.ts"
import { FIELD_MANAGER, otherWriter } from "../protocol/other-writer.ts"
import { WATCH_LIMITS, type WatchLimits, watchSeconds } from "../protocol/watch-limits.ts"
import { transientRetry } from "../retry-transient.ts"
import { openClusterCaller } from "./call-cluster.ts"
import { acceptingMetadata } from "./cluster-connection.ts"
import { listLeases } from "./list-leases.ts"
import type { ClusterAddress } from "./load-kube-config.ts"
import { fromV1ConfigMap, toV1ConfigMap } from "./v1-config-map.ts"
import { watchWithClientNode } from "./watch-with-client-node.ts"

/** ConfigMaps and Leases of one cluster. */
export interface ConnectedCluster extends ConfigMapWriter, LeaseReader {
  close(): void
}

export interface ConnectOptions {
  /** Time limit of one try, milliseconds. */
  timeLimit?: number
  retry?: RetryPolicy
  watch?: WatchLimits
}

const TIME_LIMIT_MS = 30_000

/**
 * ConfigMaps of one cluster through client-node, over one or two keep-alive sockets; every try has a time limit.
 *
 * Transient failures are tried again where that does no harm: reads always, a replace and a remove since their
 * resourceVersion guards them (a repeated one then throws `kube/conflict`, or finds it gone), a create only when
 * it surely had no effect. So a create whose answer was lost throws `kube/unavailable` or `kube/timeout`, and
 * the next one may throw `kube/already-exists`: the caller reads and compares.
 *
 * Throws UsageError `kube/kubeconfig` or `kube/not-in-cluster`.
 */
export async function connectCluster(
  name: string,
  settings: ClusterAddress,
  log: Log,
  options: ConnectOptions = {},
): Promise<ConnectedCluster> {
  const limits = options.watch ?? WATCH_LIMITS
  const caller = await openClusterCaller(name, settings, log, {
    timeLimit: options.timeLimit ?? TIME_LIMIT_MS,
    retry: options.retry ?? transientRetry(systemClock),
  })
  const { call, config, close } = caller
  function read(namespace: string, configMapName: string, signal: AbortSignal | undefined) {
    const what = `get ConfigMap ${namespace}/${configMapName}`
    const request = { namespace, name: configMapName }
    return orAbsent(
      call(what, true, signal, (api, callWith) => api.readNamespacedConfigMap(request, callWith)),
    )
  }
  return {
    async get(namespace, configMapName, signal) {
      const found = await read(namespace, configMapName, signal)
      return found && fromV1ConfigMap(found)
    },

    async otherWriter(namespace, configMapName, signal) {
      const found = await read(namespace, configMapName, signal)
      return otherWriter(found?.metadata?.managedFields ?? [])
    },

    async list(namespace, selection, signal) {
      const what = `list ConfigMaps of ${namespace || "all namespaces"}`
      const list = await call(what, true, signal, (api, callWith) =>
        namespace
          ? api.listNamespacedConfigMap({ namespace, ...selection }, callWith)
          : api.listConfigMapForAllNamespaces({ ...selection }, callWith),
      )
      return { items: list.items.map(fromV1ConfigMap), resourceVersion: list.metadata?.resourceVersion ?? "" }
    },

    async listMetadata(namespace, selection, signal) {
      const what = `list the metadata of ConfigMaps of ${namespace || "all namespaces"}`
      const list = await call(what, true, signal, (api, callWith) => {
        const options = acceptingMetadata(callWith)
        return namespace
          ? api.listNamespacedConfigMap({ namespace, ...selection }, options)
          : api.listConfigMapForAllNamespaces({ ...selection }, options)
      })
      // kube-apiserver says null for none here, where a list of whole objects says [].
      const items: V1ConfigMap[] | null = list.items
      return (items ?? []).map((item) => fromV1ConfigMap(item).metadata)
    },

    watch(namespace, selection, signal) {
      const query = selectionQuery(selection, {
        resourceVersion: selection.resourceVersion,
        allowWatchBookmarks: "true",
        timeoutSeconds: String(watchSeconds(limits)),
      })
      const what = `watch ConfigMaps of ${namespace || "all namespaces"}`
      const path = configMapPath(namespace)
      return watchWithClientNode(config(), what, path, Object.fromEntries(query), limits.silence, signal)
    },

    async create(configMap, signal) {
      const { namespace } = configMap.metadata
      const request = { namespace, body: toV1ConfigMap(configMap), fieldManager: FIELD_MANAGER }
      const created = await call(`create ${nameOf(configMap)}`, false, signal, (api, callWith) =>
        api.createNamespacedConfigMap(request, callWith),
      )
      return fromV1ConfigMap(created)
    },

    async replace(configMap, signal) {
      neededVersion(configMap)
      const { namespace, name: configMapName } = configMap.metadata
      const body = toV1ConfigMap(configMap)
      const request = { namespace, name: configMapName, body, fieldManager: FIELD_MANAGER }
      const replaced = await call(`replace ${nameOf(configMap)}`, true, signal, (api, callWith) =>
        api.replaceNamespacedConfigMap(request, callWith),
      )
      return fromV1ConfigMap(replaced)
    },

    async remove(configMap, signal) {
      const { namespace, name: configMapName } = configMap.metadata
      const body = { preconditions: { resourceVersion: neededVersion(configMap) } }
      const request = { namespace, name: configMapName, body }
      await orAbsent(
        call(`delete ${nameOf(configMap)}`, true, signal, (api, callWith) =>
          api.deleteNamespacedConfigMap(request, callWith),
        ),
      )
    },

    listLeases: (namespace, labelSelector, signal) => listLeases(caller, namespace, labelSelector, signal),

    close,
  }
}

async function orAbsent<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof KubeError && error.code === "kube/not-found") return undefined
    throw error
  }
}

function nameOf(configMap: ConfigMap): string {
  return `ConfigMap ${configMap.metadata.namespace}/${configMap.metadata.name}`
}
