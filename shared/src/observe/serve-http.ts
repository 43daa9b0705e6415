import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { setTimeout as delay } from "node:timers/promises"
import { errorText, UsageError } from "@headrace/shared/foundation/errors"
import type { Log } from "@headrace/shared/observe/log"
import { answerOps, type OpsSources } from "@headrace/shared/observe/ops-routes"

export type Route = (request: IncomingMessage, response: ServerResponse) => Promise<void>

/** What is served: `/healthz`, `/readyz` and `/metrics`, and the routes by path. */
export interface Site {
  routes: ReadonlyMap<string, Route>
  ops: OpsSources
}

/** The program's one port. It stays open while what it serves is replaced. */
export interface HttpServer {
  /** Where it listens, with the port that was picked for port 0. */
  url: string
  /**
   * From now on requests are answered by this; before the first, all but `/healthz` get 503. Ends when those under way have
   * been answered by what was served before, or after 5 s.
   */
  serve(site: Site): Promise<void>
  /** Takes no more requests, lets those under way end: for 5 s, in which any delivery is answered. */
  close(): Promise<void>
}

/** How long, in milliseconds, a sender may take. */
export interface SenderLimits {
  headersTimeout: number
  requestTimeout: number
  /** How often connections are held against these. */
  connectionsCheckingInterval: number
}

/** A sender that dribbles its request holds a connection no longer than this. */
const SENDER_LIMITS: SenderLimits = {
  headersTimeout: 5000,
  requestTimeout: 20_000,
  connectionsCheckingInterval: 1000,
}
/** More are closed at once: a flood of half-open requests must not use up the file descriptors. */
const MOST_CONNECTIONS = 2000
const UNDER_WAY_MS = 5000
const LAST_PORT = 65_535

/** Opens the port. `listen` is HOST:PORT. Throws UsageError `plugin/listen`. */
export async function openHttp(
  listen: string,
  log: Log,
  limits: SenderLimits = SENDER_LIMITS,
): Promise<HttpServer> {
  const { host, port } = readListen(listen)
  let site: Site | undefined
  const underWay = new Set<Promise<void>>()
  const server = createServer({ ...limits }, (request, response) => {
    const answered = answer(request, response).finally(() => underWay.delete(answered))
    underWay.add(answered)
  })
  server.maxConnections = MOST_CONNECTIONS

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (site === undefined) return text(response, pathOf(request) === "/healthz" ? 200 : 503, "starting\n")
    try {
      const route = site.routes.get(pathOf(request))
      if (route) await route(request, response)
      else if (!(await answerOps(request, response, site.ops))) text(response, 404, "not found\n")
    } catch (error) {
      log.error({ err: errorText(error) }, "request failed")
      if (!response.headersSent) response.writeHead(500)
      response.end()
    }
  }

  await bind(server, host, port)
  const address = server.address()
  const bound = typeof address === "object" && address ? address.port : port
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${bound}`,
    async serve(next) {
      site = next
      const stop = new AbortController()
      const limit = delay(UNDER_WAY_MS, undefined, { signal: stop.signal }).catch(() => undefined)
      await Promise.race([Promise.all(underWay), limit])
      stop.abort()
    },
    close: () =>
      new Promise((resolve) => {
        const patience = setTimeout(() => server.closeAllConnections(), UNDER_WAY_MS)
        server.close(() => {
          clearTimeout(patience)
          resolve()
        })
        server.closeIdleConnections()
      }),
  }
}

/** The path without its query; `/` when the request line does not read. */
function pathOf(request: IncomingMessage): string {
  return URL.parse(request.url ?? "/", "http://localhost")?.pathname ?? "/"
}

function text(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" })
  response.end(body)
}

function readListen(listen: string): { host: string; port: number } {
  const match = /^(\[[^\]]+\]|[^:]*):(\d{1,5})$/.exec(listen)
  if (!match || Number(match[2]) > LAST_PORT) {
    throw new UsageError("plugin/listen", `"${listen}" is no address to listen on`, {
      hint: "Write HOST:PORT, such as 0.0.0.0:8080.",
    })
  }
  return { host: match[1]?.replace(/^\[|\]$/g, "") || "0.0.0.0", port: Number(match[2]) }
}

function bind(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      reject(new UsageError("plugin/listen", `cannot listen on ${host}:${port}`, { cause }))
    })
    server.listen(port, host, resolve)
  })
}
