import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { errorText, UsageError } from "@headrace/shared/foundation/errors"
import type { Log } from "@headrace/shared/observe/log"
import { answerOps, type OpsSources } from "@headrace/shared/observe/ops-routes"

export type Route = (request: IncomingMessage, response: ServerResponse) => Promise<void>

export interface HttpServer {
  /** Where it listens, with the port that was picked for port 0. */
  url: string
  /** Takes no more requests, lets those under way end: for 2 s, since no answer takes longer than one. */
  close(): Promise<void>
}

const HEADERS_LIMIT_MS = 5000
const REQUEST_LIMIT_MS = 20_000
const CLOSE_LIMIT_MS = 2000

/** Serves `/healthz`, `/readyz`, `/metrics` and the routes by path. `listen` is HOST:PORT. */
export async function serveHttp(
  listen: string,
  routes: ReadonlyMap<string, Route>,
  ops: OpsSources,
  log: Log,
): Promise<HttpServer> {
  const { host, port } = readListen(listen)
  const server = createServer((request, response) => void answer(request, response))
  // A sender that dribbles its request holds a connection no longer than this.
  server.headersTimeout = HEADERS_LIMIT_MS
  server.requestTimeout = REQUEST_LIMIT_MS

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const route = routes.get(pathOf(request))
      if (route) await route(request, response)
      else if (!(await answerOps(request, response, ops))) notFound(response)
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
    close: () =>
      new Promise((resolve) => {
        const patience = setTimeout(() => server.closeAllConnections(), CLOSE_LIMIT_MS)
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

function notFound(response: ServerResponse): void {
  response.writeHead(404, { "content-type": "text/plain; charset=utf-8" })
  response.end("not found\n")
}

function readListen(listen: string): { host: string; port: number } {
  const match = /^(\[[^\]]+\]|[^:]*):(\d{1,5})$/.exec(listen)
  if (!match) {
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
