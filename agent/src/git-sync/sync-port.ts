import type { Log } from "@headrace/shared/observe/log"
import { type HttpServer, openHttp, type Route } from "@headrace/shared/observe/serve-http"
import type { Registry } from "prom-client"

export interface SyncPortOptions {
  /** git-sync's --http-bind: `:1234`, `127.0.0.1:1234`, `[::1]:1234`. */
  bind: string
  /** Serve /metrics. */
  metrics: Registry | undefined
  isReady(): boolean
  log: Log
}

/**
 * git-sync's HTTP endpoint: 503 on every path until the first sync, then 200; `/metrics`. Throws UsageError `http/listen`
 * for another form of address, and `http/bind` when the port cannot be had.
 */
export async function openSyncPort({ bind, metrics, isReady, log }: SyncPortOptions): Promise<HttpServer> {
  const server = await openHttp(bind, log)
  const routes = new Map<string, Route>()
  if (metrics !== undefined) {
    routes.set("/metrics", async (_, response) => {
      response.setHeader("content-type", metrics.contentType)
      response.end(await metrics.metrics())
    })
  }
  await server.serve({
    routes,
    otherwise: async ({ url = "/" }, response) => {
      response.setHeader("content-type", "text/plain; charset=utf-8")
      if (url.startsWith("/debug/")) response.writeHead(404).end("not found\n")
      else if (isReady()) response.writeHead(200).end()
      else response.writeHead(503).end("repo is not ready\n")
    },
  })
  return server
}
