import type { IncomingMessage } from "node:http"
import { z } from "zod"
import type { ConfigMap } from "../../foundation/config-map.ts"
import { sha256 } from "../../foundation/digest.ts"
import { startTimeLimit } from "../../foundation/time-limit.ts"
import type { Log } from "../../observe/log.ts"
import type { ConfigMapReader, Selection, WatchEvent } from "../config-map-api.ts"
import type { ClusterAccess } from "../credentials/cluster-access.ts"
import { KubeError, noAnswer } from "../kube-error.ts"
import { objectPath, selectionQuery } from "../protocol/config-map-path.ts"
import { kubeErrorOfAnswer } from "../protocol/kube-answer.ts"
import { CONFIG_MAP_KIND, type ObjectKind, SECRET_KIND } from "../protocol/object-kind.ts"
import { WATCH_LIMITS, type WatchLimits, watchSeconds } from "../protocol/watch-limits.ts"
import { type Connection, type ConnectionRequest, openConnection } from "./connection.ts"
import { inClusterAccess } from "./in-cluster-access.ts"
import { kubeconfigAccess } from "./kubeconfig-access.ts"
import { OBJECT_LIMIT_BYTES, parseAnswer, readAnswer } from "./read-answer.ts"
import { watchEvents } from "./watch-events.ts"

export interface LightClientOptions {
  /** Path; absent: the pod's own service account. */
  kubeconfig?: string
  context?: string
  log: Log
  /** Time limit of one request, milliseconds. */
  timeLimit?: number
  watch?: WatchLimits
  /** Objects of one page of a list. */
  pageSize?: number
}

export interface LightClient extends ConfigMapReader {
  /** Identifies the cluster, by the server's address and certificate authority: 12 hex digits. */
  cluster: string
  /** Secrets, in the shape of ConfigMaps whose values are all `binaryData`. */
  secrets: ConfigMapReader
  /** Any object by its path, as JSON; undefined when there is none. */
  getJson(path: string, signal?: AbortSignal): Promise<unknown>
  /** Creates (POST) or replaces (PUT) any object by its path; gives what the server made of it. */
  sendJson(method: "POST" | "PUT", path: string, body: object, signal?: AbortSignal): Promise<unknown>
  /** Removes any object by its path; one that is not there is removed already. */
  remove(path: string, signal?: AbortSignal): Promise<void>
  close(): void
}

/** `most` bytes of answer are read. */
type Call = (request: ConnectionRequest, signal: AbortSignal | undefined, most?: number) => Promise<unknown>

const TIME_LIMIT_MS = 30_000
const PAGE_SIZE = 250
/** Beyond any page that we ask for: 250 ConfigMaps at their largest. */
const PAGE_LIMIT_BYTES = 512 * 1024 * 1024

const ListPage = z.object({
  metadata: z.object({ resourceVersion: z.string(), continue: z.string().optional() }),
  items: z.array(z.unknown()).nullable(),
})

/**
 * A client for what an agent asks of Kubernetes, over keep-alive connections and with few megabytes:
 * client-node's generated API alone costs some 90 MB resident.
 *
 * Throws UsageError `kube/kubeconfig` or `kube/not-in-cluster`; does not yet talk to the server.
 */
export async function openLightClient(options: LightClientOptions): Promise<LightClient> {
  const { kubeconfig, context } = options
  const access =
    kubeconfig === undefined ? await inClusterAccess() : await kubeconfigAccess(kubeconfig, context)
  return lightClient(access, options)
}

/** The client for a way in that is already known. */
export function lightClient(
  access: ClusterAccess,
  options: Omit<LightClientOptions, "kubeconfig" | "context">,
): LightClient {
  const connection = openConnection(access, "headrace-agent")
  const timeLimit = options.timeLimit ?? TIME_LIMIT_MS
  const limits = options.watch ?? WATCH_LIMITS

  async function call(
    request: ConnectionRequest,
    signal: AbortSignal | undefined,
    most = OBJECT_LIMIT_BYTES,
  ): Promise<unknown> {
    const limit = startTimeLimit(timeLimit, () => noAnswer(request.what, timeLimit), signal)
    try {
      const message = await answered(access, connection, request, limit.signal)
      return parseAnswer(request.what, await readAnswer(request.what, message, most))
    } catch (error) {
      limit.signal.throwIfAborted()
      throw error
    } finally {
      limit.end()
    }
  }

  async function getJson(path: string, signal?: AbortSignal, what = `get ${path}`): Promise<unknown> {
    try {
      return await call({ method: "GET", path, what }, signal)
    } catch (error) {
      if (error instanceof KubeError && error.code === "kube/not-found") return undefined
      throw error
    }
  }

  function readerOf(kind: ObjectKind): ConfigMapReader {
    const { resource } = kind
    return {
      async get(namespace, name, signal): Promise<ConfigMap | undefined> {
        const what = `get ${kind.kind} ${namespace}/${name}`
        const value = await getJson(objectPath(resource, namespace, name), signal, what)
        return value === undefined ? undefined : kind.parse(value)
      },
      list: (namespace, selection, signal) =>
        listPages(call, { kind, namespace, selection }, options.pageSize ?? PAGE_SIZE, signal),
      watch(namespace, selection, signal): AsyncIterable<WatchEvent> {
        const what = `watch ${kind.kind}s of ${namespace || "all namespaces"}`
        const query = selectionQuery(selection, {
          watch: "true",
          resourceVersion: selection.resourceVersion,
          allowWatchBookmarks: "true",
          timeoutSeconds: String(watchSeconds(limits)),
        })
        const request = {
          method: "GET" as const,
          path: objectPath(resource, namespace, undefined, query),
          what,
        }
        const open = (limited: AbortSignal) => answered(access, connection, request, limited)
        return watchEvents(what, limits.silence, signal, open, kind.parse)
      },
    }
  }

  return {
    cluster: sha256(`${access.server.href}\n${access.tls.ca ?? ""}`).slice(0, 12),
    ...readerOf(CONFIG_MAP_KIND),
    secrets: readerOf(SECRET_KIND),
    getJson,
    sendJson: (method, path, body, signal) =>
      call(
        {
          method,
          path,
          body: JSON.stringify(body),
          what: `${method === "POST" ? "create" : "replace"} ${path}`,
        },
        signal,
      ),
    async remove(path, signal) {
      await call({ method: "DELETE", path, what: `remove ${path}` }, signal).catch((error: unknown) => {
        if (!(error instanceof KubeError && error.code === "kube/not-found")) throw error
      })
    },
    close: () => connection.close(),
  }
}

/** The head of a good answer; a refusal is thrown as KubeError. A credential that was refused is renewed once. */
async function answered(
  access: ClusterAccess,
  connection: Connection,
  request: ConnectionRequest,
  signal: AbortSignal,
  renewed = false,
): Promise<IncomingMessage> {
  const message = await connection.send(request, signal)
  const status = message.statusCode ?? 0
  if (status >= 200 && status < 300) return message
  const body = await readAnswer(request.what, message, OBJECT_LIMIT_BYTES)
  if (status === 401 && !renewed) {
    access.refuse()
    return answered(access, connection, request, signal, true)
  }
  throw kubeErrorOfAnswer(request.what, status, body, message.headers["retry-after"])
}

/** What to list. */
interface Wanted {
  kind: ObjectKind
  namespace: string
  selection: Selection
}

/**
 * Lists page by page. Without a resourceVersion the server reads from etcd, so that a stale replica of it
 * cannot answer. A page token that has expired (410) starts the list again, then without pages.
 */
async function listPages(
  call: Call,
  wanted: Wanted,
  pageSize: number,
  signal?: AbortSignal,
): Promise<{ items: ConfigMap[]; resourceVersion: string }> {
  const items: ConfigMap[] = []
  let token = ""
  try {
    for (;;) {
      const page = await listPage(call, wanted, { pageSize, token }, signal)
      items.push(...page.items)
      if (!page.continue) return { items, resourceVersion: page.resourceVersion }
      token = page.continue
    }
  } catch (error) {
    if (!token || !(error instanceof KubeError) || error.code !== "kube/gone") throw error
    return listPage(call, wanted, { pageSize: 0, token: "" }, signal)
  }
}

async function listPage(
  call: Call,
  { kind, namespace, selection }: Wanted,
  from: { pageSize: number; token: string },
  signal?: AbortSignal,
): Promise<{ items: ConfigMap[]; resourceVersion: string; continue: string | undefined }> {
  const what = `list ${kind.kind}s of ${namespace || "all namespaces"}`
  const query = selectionQuery(selection, {
    ...(from.pageSize > 0 ? { limit: String(from.pageSize) } : {}),
    ...(from.token ? { continue: from.token } : {}),
  })
  const path = objectPath(kind.resource, namespace, undefined, query)
  const answer = await call({ method: "GET", path, what }, signal, PAGE_LIMIT_BYTES)
  const page = ListPage.safeParse(answer)
  if (!page.success)
    throw new KubeError("kube/unavailable", `${what}: the answer is not a list`, { cause: page.error })
  const { metadata, items } = page.data
  return {
    items: (items ?? []).map((item) => kind.parse(item)),
    resourceVersion: metadata.resourceVersion,
    continue: metadata.continue,
  }
}
