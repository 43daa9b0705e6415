import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { setTimeout as delay } from "node:timers/promises"
import { errorText, HeadraceError, UsageError } from "../foundation/errors.ts"
import { type ConnectionLimits, limitConnections } from "./connection-gate.ts"
import type { Log } from "./log.ts"
import { answerOps, type OpsSources } from "./ops-routes.ts"

export type Route = (request: IncomingMessage, response: ServerResponse) => Promise<void>

/** What a port serves: the routes by path, and `/healthz`, `/readyz` and `/metrics` unless another port has them. */
export interface Site {
  routes: ReadonlyMap<string, Route>
  ops?: OpsSources
  /** Answers every other path, in place of 404. */
  otherwise?: Route
  /** What senders may cost from now on; absent: as before. */
  bounds?: SenderBounds
}

/** One port of the program. It stays open while what it serves is replaced. */
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

/** What senders may cost: `bounds` of the settings, where the reference explains them. */
export interface SenderBounds extends ConnectionLimits {
  /** Bytes of the headers of one request. */
  headers: number
  /** Milliseconds. */
  headersWithin: number
  requestWithin: number
}

/** For ports of programs whose settings have no bounds. */
const SENDER_BOUNDS: SenderBounds = {
  connections: 1000,
  connectionsPerAddress: 250,
  headers: 16 * 1024,
  headersWithin: 5000,
  requestWithin: 20_000,
}
/** How often connections are held against the time that a sender may take, in milliseconds. */
const CHECK_EVERY_MS = 1000
const UNDER_WAY_MS = 5000
const LAST_PORT = 65_535

/**
 * Opens the port. `listen` is `HOST:PORT` or `[IPv6]:PORT`; without a host, every address; port 0 picks one. Throws
 * UsageError `http/listen` for another form, HeadraceError `http/bind` when the port cannot be had.
 */
export async function openHttp(
  listen: string,
  log: Log,
  bounds: SenderBounds = SENDER_BOUNDS,
  checkEvery = CHECK_EVERY_MS,
): Promise<HttpServer> {
  const { host, port } = parseListen(listen)
  let site: Site | undefined
  const underWay = new Set<Promise<void>>()
  const options = {
    ...timesOf(bounds),
    maxHeaderSize: bounds.headers,
    connectionsCheckingInterval: checkEvery,
  }
  const server = createServer(options, (request, response) => {
    const answered = answer(request, response).finally(() => underWay.delete(answered))
    underWay.add(answered)
  })
  const gate = limitConnections(server, bounds, log)

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (site === undefined) return text(response, pathOf(request) === "/healthz" ? 200 : 503, "starting\n")
    try {
      await answerFrom(site, request, response)
    } catch (error) {
      log.error({ err: errorText(error) }, "request failed")
      if (!response.headersSent) response.writeHead(500)
      response.end()
    }
  }

  const url = await bind(server, host, port)
  return {
    url,
    async serve(next) {
      site = next
      if (next.bounds) {
        gate.limit(next.bounds)
        Object.assign(server, timesOf(next.bounds))
      }
      const stop = new AbortController()
      const limit = delay(UNDER_WAY_MS, undefined, { signal: stop.signal }).catch(() => undefined)
      await Promise.race([Promise.all(underWay), limit])
      stop.abort()
    },
    close: () =>
      new Promise((resolve) => {
        const limit = setTimeout(() => server.closeAllConnections(), UNDER_WAY_MS)
        server.close(() => {
          clearTimeout(limit)
          resolve()
        })
        server.closeIdleConnections()
      }),
  }
}

/** As node:http names them. Bytes of headers are fixed when the port opens. */
function timesOf({ headersWithin, requestWithin }: SenderBounds): {
  headersTimeout: number
  requestTimeout: number
} {
  return { headersTimeout: Math.min(headersWithin, requestWithin), requestTimeout: requestWithin }
}

async function answerFrom(site: Site, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const route = site.routes.get(pathOf(request))
  if (route) return await route(request, response)
  if (site.ops && (await answerOps(request, response, site.ops))) return
  if (site.otherwise) await site.otherwise(request, response)
  else text(response, 404, "not found\n")
}

/** The path without its query; `/` when the request line does not read. */
function pathOf(request: IncomingMessage): string {
  return URL.parse(request.url ?? "/", "http://localhost")?.pathname ?? "/"
}

function text(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" })
  response.end(body)
}

function parseListen(listen: string): { host: string | undefined; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(listen)
  const port = Number(match?.[3])
  if (!match || port > LAST_PORT) {
    throw new UsageError("http/listen", `cannot listen on ${JSON.stringify(listen)}`, {
      hint: "Give HOST:PORT, such as 127.0.0.1:8080 or [::]:8080.",
    })
  }
  return { host: match[1] || match[2] || undefined, port }
}

/** Starts to listen, without a host on every address; gives the URL, with the port that was picked for port 0. */
function bind(server: Server, host: string | undefined, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      reject(
        new HeadraceError("http/bind", `cannot listen on ${host ?? "every address"}, port ${port}`, {
          hint: "Give an address of this machine and a port that no other program has.",
          cause,
        }),
      )
    })
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
      const bound = server.address() as AddressInfo
      const name = host ?? bound.address
      resolve(`http://${name.includes(":") ? `[${name}]` : name}:${bound.port}`)
    })
  })
}
