import { z } from "zod"
import { systemClock } from "../../foundation/clock.ts"
import type { ConfigMap } from "../../foundation/config-map.ts"
import type { RetryPolicy } from "../../foundation/retry.ts"
import type { Log } from "../../observe/log.ts"
import { type AnswerLimits, counted, DEFAULT_LIMITS } from "../answer-limits.ts"
import type { ConfigMapWriter, Selection } from "../config-map-api.ts"
import type { EventWriter } from "../event-api.ts"
import { KubeError } from "../kube-error.ts"
import type { LeaseReader } from "../lease-api.ts"
import { type FetchPage, type ListedPage, listPages } from "../list-pages.ts"
import { configMapJson, parseConfigMap, parseMetadata } from "../protocol/config-map-json.ts"
import { neededVersion } from "../protocol/needed-version.ts"
import { configMapPath, pageQuery, selectionQuery, writerQuery } from "../protocol/object-path.ts"
import { otherWriter } from "../protocol/other-writer.ts"
import { WATCH_LIMITS, type WatchLimits, watchSeconds } from "../protocol/watch-limits.ts"
import { transientRetry } from "../retry-transient.ts"
import { openClusterCaller } from "./call-cluster.ts"
import type { ClusterRequest } from "./cluster-connection.ts"
import { createEvent } from "./create-event.ts"
import { listLeases } from "./list-leases.ts"
import type { ClusterAddress } from "./load-kube-config.ts"
import { watchWithClientNode } from "./watch-with-client-node.ts"

/** ConfigMaps and Leases of one cluster, and Events about them. */
export interface ConnectedCluster extends ConfigMapWriter, LeaseReader, EventWriter {
  close(): void
}

export interface ConnectOptions {
  /** Time limit of one try, milliseconds. */
  timeLimit?: number
  retry?: RetryPolicy
  watch?: WatchLimits
  /** What its answers may cost; absent: the defaults. */
  limits?: AnswerLimits
}

/** Objects of one page of a list: some of our objects take a megabyte each. */
const PAGE_SIZE = 250

const TIME_LIMIT_MS = 30_000

/** Of the metadata of an object, for `otherWriter`. */
interface Managed {
  managedFields?: { manager?: string; time?: string }[]
}

/** https://kubernetes.io/docs/reference/using-api/api-concepts/#metadata-only-fetches */
const METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

/**
 * ConfigMaps of one cluster by client-node's way to it, over one or two keep-alive sockets; every try has a time limit.
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
  const watching = options.watch ?? WATCH_LIMITS
  const limits = options.limits ?? { ...DEFAULT_LIMITS, culprit: `cluster ${name}` }
  const caller = await openClusterCaller(name, settings, log, {
    timeLimit: options.timeLimit ?? TIME_LIMIT_MS,
    retry: options.retry ?? transientRetry(systemClock),
    limits,
  })
  const { call, config, close } = caller
  /** Every page of a list; what a server sends of its items, unparsed. */
  function listAll(
    what: string,
    namespace: string,
    selection: Selection,
    signal: AbortSignal | undefined,
    form: { accept?: string } = {},
  ): Promise<{ items: unknown[]; resourceVersion: string }> {
    const fetch: FetchPage = async (size, token) => {
      const path = configMapPath(namespace, undefined, pageQuery(selection, size, token))
      const { value, bytes } = await call({ what, method: "GET", path, ...form }, true, signal)
      return { ...listOf(value), bytes }
    }
    return counted(limits, listPages(what, fetch, { pageSize: PAGE_SIZE, most: limits.list }))
  }
  async function read(
    namespace: string,
    configMapName: string,
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    const what = `get ConfigMap ${namespace}/${configMapName}`
    const path = configMapPath(namespace, configMapName)
    return (await orAbsent(call({ what, method: "GET", path }, true, signal)))?.value
  }
  /** Sends a ConfigMap, and gives what the server keeps of it. */
  async function write(
    configMap: ConfigMap,
    request: Omit<ClusterRequest, "body">,
    repeatable: boolean,
    signal: AbortSignal | undefined,
  ): Promise<ConfigMap> {
    const body = JSON.stringify(configMapJson(configMap))
    return parseConfigMap((await call({ ...request, body }, repeatable, signal)).value)
  }
  return {
    async get(namespace, configMapName, signal) {
      const found = await read(namespace, configMapName, signal)
      return found === undefined ? undefined : parseConfigMap(found)
    },

    async otherWriter(namespace, configMapName, signal) {
      const found = await read(namespace, configMapName, signal)
      return otherWriter((found as { metadata?: Managed } | undefined)?.metadata?.managedFields ?? [])
    },

    async list(namespace, selection, signal) {
      const what = `list ConfigMaps of ${namespace || "all namespaces"}`
      const { items, resourceVersion } = await listAll(what, namespace, selection, signal)
      return { items: items.map(parseConfigMap), resourceVersion }
    },

    async listMetadata(namespace, selection, signal) {
      const what = `list the metadata of ConfigMaps of ${namespace || "all namespaces"}`
      const { items } = await listAll(what, namespace, selection, signal, { accept: METADATA_LIST })
      return items.map(parseMetadata)
    },

    watch(namespace, selection, signal, onOpen) {
      const query = selectionQuery(selection, {
        resourceVersion: selection.resourceVersion,
        allowWatchBookmarks: "true",
        timeoutSeconds: String(watchSeconds(watching)),
      })
      const what = `watch ConfigMaps of ${namespace || "all namespaces"}`
      const path = configMapPath(namespace)
      const fields = Object.fromEntries(query)
      return watchWithClientNode(config(), what, path, fields, watching.silence, signal, onOpen)
    },

    async create(configMap, signal) {
      const what = `create ${nameOf(configMap)}`
      const path = configMapPath(configMap.metadata.namespace, undefined, writerQuery())
      return write(configMap, { what, method: "POST", path }, false, signal)
    },

    async replace(configMap, signal) {
      neededVersion(configMap)
      const { namespace, name: configMapName } = configMap.metadata
      const what = `replace ${nameOf(configMap)}`
      const path = configMapPath(namespace, configMapName, writerQuery())
      return write(configMap, { what, method: "PUT", path }, true, signal)
    },

    async remove(configMap, signal) {
      const { namespace, name: configMapName } = configMap.metadata
      const what = `delete ${nameOf(configMap)}`
      const path = configMapPath(namespace, configMapName)
      const body = JSON.stringify({ preconditions: { resourceVersion: neededVersion(configMap) } })
      await orAbsent(call({ what, method: "DELETE", path, body }, true, signal))
    },

    createEvent: (about, event, at, signal) => createEvent(caller, about, event, at, signal),

    listLeases: (namespace, labelSelector, signal) =>
      listLeases(caller, limits, namespace, labelSelector, signal),

    close,
  }
}

/** A list out of an answer. kube-apiserver says null for no items of a list of metadata, where it otherwise says []. */
function listOf(answer: unknown): Omit<ListedPage, "bytes"> {
  const parsed = ApiList.safeParse(answer)
  if (parsed.success) {
    const { items, metadata } = parsed.data
    return { items: items ?? [], resourceVersion: metadata?.resourceVersion ?? "", next: metadata?.continue }
  }
  throw new KubeError("kube/unavailable", "the API server's answer is not a list", { cause: parsed.error })
}

const ApiList = z.object({
  items: z.array(z.unknown()).nullish(),
  metadata: z.object({ resourceVersion: z.string().optional(), continue: z.string().optional() }).optional(),
})

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
