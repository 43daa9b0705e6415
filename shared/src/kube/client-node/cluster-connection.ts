import type { Readable } from "node:stream"
import { createGunzip } from "node:zlib"
import { type HttpMethod, type KubeConfig, RequestContext } from "@kubernetes/client-node"
import { HeadraceError } from "../../foundation/errors.ts"
import { type AnswerLimits, readBounded } from "../answer-limits.ts"
import { kubeErrorOfAnswer } from "../protocol/kube-answer.ts"
import { FIELD_MANAGER } from "../protocol/other-writer.ts"
import { keepConnectionsAlive } from "./keep-alive.ts"
import { type ClusterAddress, loadKubeConfig } from "./load-kube-config.ts"

export interface ClusterRequest {
  /** For messages: `get ConfigMap ci/x`. */
  what: string
  method: "GET" | "POST" | "PUT" | "DELETE"
  /** Path and query below the server's URL. */
  path: string
  /** JSON. */
  body?: string
  /** Which form of the answer is wanted; absent: JSON as it is. */
  accept?: string
}

/** A good answer, parsed, and how many bytes it had. */
export interface ClusterAnswer {
  value: unknown
  bytes: number
}

/** The way to one cluster by client-node's KubeConfig, with sockets that are kept. */
export interface ClusterConnection {
  config: KubeConfig
  /** Sends one request. Throws KubeError for a refusal and for an answer beyond the limits, and whatever broke the connection. */
  send(request: ClusterRequest, limits: AnswerLimits, signal: AbortSignal): Promise<ClusterAnswer>
  close(): void
}

type Dispatcher = NonNullable<ReturnType<RequestContext["getDispatcher"]>>
type Answer = Exclude<Awaited<ReturnType<Dispatcher["request"]>>, void>

/** Reads the kubeconfig. `most`: bytes that one response, a watch too, may bring; sockets open with the first request. Throws UsageError, see loadKubeConfig. */
export async function openClusterConnection(
  name: string,
  address: ClusterAddress,
  most: number,
): Promise<ClusterConnection> {
  const config = await loadKubeConfig(name, address)
  const close = keepConnectionsAlive(config, most)
  return {
    config,
    async send(request, limits, signal) {
      const { statusCode, headers, body } = await sendByDispatcher(config, request, signal)
      const { text, bytes } = await readBounded(request.what, uncompressed(headers, body), limits, signal)
      if (statusCode >= 200 && statusCode < 300) return { value: JSON.parse(text), bytes }
      throw kubeErrorOfAnswer(request.what, statusCode, text, String(headers["retry-after"] ?? ""))
    },
    close,
  }
}

/**
 * Sends a request with the credentials that client-node finds, by the dispatcher that it makes of TLS settings and proxy. It goes
 * by undici's `request`, and not by client-node's classes for each API, which are megabytes of code for these few
 * requests, nor by fetch. Unlike fetch this follows no redirect: an API server sends none, and what does is no place for a token.
 * Only answers to GET may come compressed: the others repeat what was sent.
 */
async function sendByDispatcher(
  config: KubeConfig,
  { method, path, body, accept = "application/json" }: ClusterRequest,
  signal: AbortSignal,
): Promise<Answer> {
  const server = new URL(config.getCurrentCluster()?.server ?? "")
  const target = `${server.pathname.replace(/\/$/, "")}${path}`
  const context = new RequestContext(`${server.origin}${target}`, method as HttpMethod)
  await config.applySecurityAuthentication(context)
  const dispatcher = context.getDispatcher()
  if (dispatcher === undefined) {
    throw new HeadraceError("kube/client-changed", "client-node gives requests no dispatcher any more")
  }
  const headers: Record<string, string> = { ...context.getHeaders(), accept, "user-agent": FIELD_MANAGER }
  if (body !== undefined) headers["content-type"] = "application/json"
  if (method === "GET") headers["accept-encoding"] = "gzip"
  return dispatcher.request({
    origin: server.origin,
    path: target,
    method,
    headers,
    body: body ?? null,
    signal,
  })
}

/** A few bytes on the wire can stand for gigabytes: what counts for the limit is what comes out. */
function uncompressed(headers: Answer["headers"], body: Readable): Readable {
  if (headers["content-encoding"] !== "gzip") return body
  const unpacked = createGunzip()
  body.once("error", (error) => unpacked.destroy(error))
  unpacked.once("close", () => body.destroy())
  return body.pipe(unpacked)
}
