import type { IncomingMessage } from "node:http"
import { z } from "zod"
import type { ConfigMap } from "../../foundation/config-map.ts"
import { sha256 } from "../../foundation/digest.ts"
import { startTimeLimit } from "../../foundation/time-limit.ts"
import type { Log } from "../../observe/log.ts"
import { type AnswerLimits, counted, DEFAULT_LIMITS } from "../answer-limits.ts"
import type { ConfigMapReader, Selection, WatchEvent } from "../config-map-api.ts"
import type { ClusterAccess } from "../credentials/cluster-access.ts"
import { KubeError, noAnswer } from "../kube-error.ts"
import { type FetchPage, listPages } from "../list-pages.ts"
import { kubeErrorOfAnswer } from "../protocol/kube-answer.ts"
import { CONFIG_MAP_KIND, type ObjectKind, SECRET_KIND } from "../protocol/object-kind.ts"
import { objectPath, pageQuery, selectionQuery } from "../protocol/object-path.ts"
import { WATCH_LIMITS, type WatchLimits, watchSeconds } from "../protocol/watch-limits.ts"
import { type Connection, type ConnectionRequest, openConnection } from "./connection.ts"
import { inClusterAccess } from "./in-cluster-access.ts"
import { kubeconfigAccess } from "./kubeconfig-access.ts"
import { parseAnswer, readAnswer } from "./read-answer.ts"
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
  /** What its answers may cost; absent: the defaults. */
  limits?: AnswerLimits
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

interface Answered {
  value: unknown
  bytes: number
}

type Call = (request: ConnectionRequest, signal: AbortSignal | undefined) => Promise<Answered>

const TIME_LIMIT_MS = 30_000
const PAGE_SIZE = 250

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
  const watching = options.watch ?? WATCH_LIMITS
  const limits = options.limits ?? DEFAULT_LIMITS

  async function call(request: ConnectionRequest, signal: AbortSignal | undefined): Promise<Answered> {
    const limit = startTimeLimit(timeLimit, () => noAnswer(request.what, timeLimit), signal)
    try {
      const message = await answered(access, connection, request, limits, limit.signal)
      const { text, bytes } = await readAnswer(request.what, message, limits, limit.signal)
      return { value: parseAnswer(request.what, text), bytes }
    } catch (error) {
      limit.signal.throwIfAborted()
      throw error
    } finally {
      limit.end()
    }
  }

  async function getJson(path: string, signal?: AbortSignal, what = `get ${path}`): Promise<unknown> {
    try {
      return (await call({ method: "GET", path, what }, signal)).value
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
      async list(namespace, selection, signal) {
        const what = `list ${kind.kind}s of ${namespace || "all namespaces"}`
        const fetch = pageOf(call, { what, kind, namespace, selection }, signal)
        const pages = { pageSize: options.pageSize ?? PAGE_SIZE, most: limits.list }
        const { items, resourceVersion } = await counted(limits, listPages(what, fetch, pages))
        return { items: items.map((item) => kind.parse(item)), resourceVersion }
      },
      watch(namespace, selection, signal, onOpen): AsyncIterable<WatchEvent> {
        const what = `watch ${kind.kind}s of ${namespace || "all namespaces"}`
        const query = selectionQuery(selection, {
          watch: "true",
          resourceVersion: selection.resourceVersion,
          allowWatchBookmarks: "true",
          timeoutSeconds: String(watchSeconds(watching)),
        })
        const request = {
          method: "GET" as const,
          path: objectPath(resource, namespace, undefined, query),
          what,
        }
        const open = async (limited: AbortSignal) => {
          const answer = await answered(access, connection, request, limits, limited)
          onOpen?.()
          return answer
        }
        const bounds = { silence: watching.silence, line: limits.answer }
        return watchEvents(what, bounds, signal, open, kind.parse)
      },
    }
  }

  return {
    cluster: sha256(`${access.server.href}\n${access.tls.ca ?? ""}`).slice(0, 12),
    ...readerOf(CONFIG_MAP_KIND),
    secrets: readerOf(SECRET_KIND),
    getJson,
    async sendJson(method, path, body, signal) {
      const what = `${method === "POST" ? "create" : "replace"} ${path}`
      return (await call({ method, path, body: JSON.stringify(body), what }, signal)).value
    },
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
  limits: AnswerLimits,
  signal: AbortSignal,
  renewed = false,
): Promise<IncomingMessage> {
  const message = await connection.send(request, signal)
  const status = message.statusCode ?? 0
  if (status >= 200 && status < 300) return message
  const { text } = await readAnswer(request.what, message, limits, signal)
  if (status === 401 && !renewed) {
    access.refuse()
    return answered(access, connection, request, limits, signal, true)
  }
  throw kubeErrorOfAnswer(request.what, status, text, message.headers["retry-after"])
}

/** What to list. */
interface Wanted {
  what: string
  kind: ObjectKind
  namespace: string
  selection: Selection
}

function pageOf(
  call: Call,
  { what, kind, namespace, selection }: Wanted,
  signal: AbortSignal | undefined,
): FetchPage {
  return async (size, token) => {
    const path = objectPath(kind.resource, namespace, undefined, pageQuery(selection, size, token))
    const { value, bytes } = await call({ method: "GET", path, what }, signal)
    const page = ListPage.safeParse(value)
    if (!page.success)
      throw new KubeError("kube/unavailable", `${what}: the answer is not a list`, { cause: page.error })
    const { metadata, items } = page.data
    const { resourceVersion, continue: next } = metadata
    return { items: items ?? [], resourceVersion, next, bytes }
  }
}
