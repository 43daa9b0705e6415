import {
  Agent as HttpAgent,
  type IncomingMessage,
  type RequestOptions,
  request as requestHttp,
} from "node:http"
import { Agent as HttpsAgent, request as requestHttps } from "node:https"
import { sha256 } from "../../foundation/digest.ts"
import type { ClusterAccess, Credential } from "../credentials/cluster-access.ts"
import { KubeError } from "../kube-error.ts"

export interface ConnectionRequest {
  method: "GET" | "POST" | "PUT" | "DELETE"
  /** Path and query below the server's URL. */
  path: string
  body?: string
  /** For messages: `get ConfigMap ci/x`. */
  what: string
}

export interface Connection {
  /** Resolves with the head of the answer; the caller reads or destroys the stream. Rejects with KubeError. */
  send(request: ConnectionRequest, signal: AbortSignal): Promise<IncomingMessage>
  close(): void
}

/** Dead peers are found by the kernel: first probe after this long, then each second, ten times (libuv). */
const TCP_KEEP_ALIVE_MS = 15_000

/**
 * Keep-alive sockets to one API server. Calls one after the other share a socket; each watch holds one more.
 * A client certificate that has changed opens new sockets.
 */
export function openConnection(access: ClusterAccess, version: string): Connection {
  const secure = access.server.protocol === "https:"
  let agent: HttpAgent | undefined
  let identity = ""

  function agentFor(credential: Credential): HttpAgent {
    const wanted = sha256(`${String(credential.cert)}\n${String(credential.key)}`)
    if (agent && identity === wanted) return agent
    if (agent) retire(agent)
    identity = wanted
    const options = {
      keepAlive: true,
      keepAliveMsecs: TCP_KEEP_ALIVE_MS,
      scheduling: "lifo" as const,
      noDelay: true,
      ...proxyOptions(access),
    }
    const { cert, key } = credential
    agent = secure
      ? new HttpsAgent({ ...options, ...access.tls, ...(cert ? { cert } : {}), ...(key ? { key } : {}) })
      : new HttpAgent(options)
    return agent
  }

  async function send(request: ConnectionRequest, signal: AbortSignal): Promise<IncomingMessage> {
    const credential = await access.credential()
    signal.throwIfAborted()
    const options: RequestOptions = {
      agent: agentFor(credential),
      method: request.method,
      host: access.server.hostname.replace(/^\[|\]$/g, ""),
      port: access.server.port || (secure ? 443 : 80),
      path: `${access.server.pathname.replace(/\/$/, "")}${request.path}`,
      headers: headersOf(request, credential, version),
      signal,
    }
    return start(secure, options, request)
  }

  return {
    send,
    close: () => agent?.destroy(),
  }
}

/** Node tunnels through it by CONNECT; whether one is used was judged before, so nothing is excluded here. */
function proxyOptions({ server, proxy }: ClusterAccess): { proxyEnv?: Record<string, string> } {
  if (proxy === undefined) return {}
  return { proxyEnv: { [server.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY"]: proxy.href } }
}

/** Closes idle sockets now and the others when their request ends. */
function retire(agent: HttpAgent): void {
  agent.maxFreeSockets = 0
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy()
}

function headersOf(
  request: ConnectionRequest,
  credential: Credential,
  version: string,
): Record<string, string> {
  const headers: Record<string, string> = { accept: "application/json", "user-agent": version }
  if (credential.authorization) headers.authorization = credential.authorization
  if (credential.impersonateUser) headers["impersonate-user"] = credential.impersonateUser
  if (request.body === undefined) return headers
  headers["content-type"] = "application/json"
  headers["content-length"] = String(Buffer.byteLength(request.body))
  return headers
}

function start(
  secure: boolean,
  options: RequestOptions,
  request: ConnectionRequest,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = secure ? requestHttps(options) : requestHttp(options)
    let isAnswered = false
    outgoing.once("response", (message) => {
      isAnswered = true
      resolve(message)
    })
    outgoing.on("error", (error) => {
      // A reset on the way of an answer comes here too; the reader of the answer gets the error.
      if (isAnswered) return
      // A server may close an idle socket just as we use it: then nothing was done, and a new socket will do.
      const stale = outgoing.reusedSocket && request.method === "GET" && !options.signal?.aborted
      if (stale) start(secure, options, request).then(resolve, reject)
      else reject(new KubeError("kube/unavailable", `${request.what}: no answer`, { cause: error }))
    })
    outgoing.end(request.body)
  })
}
