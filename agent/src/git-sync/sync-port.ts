import { createServer } from "node:http"
import { HeadraceError, UsageError } from "@headrace/shared/foundation/errors"
import type { Registry } from "prom-client"

export interface SyncPortOptions {
  /** git-sync's --http-bind: `:1234`, `127.0.0.1:1234`, `[::1]:1234`. */
  bind: string
  /** Serve /metrics. */
  metrics: Registry | undefined
  isReady(): boolean
}

export interface SyncPort {
  url: string
  close(): Promise<void>
}

const LAST_PORT = 65_535

/**
 * git-sync's HTTP endpoint: 503 on every path until the first sync, then 200; `/metrics`. Throws UsageError
 * `git-sync/bad-option`, and `http/bind` when the port cannot be had.
 */
export async function openSyncPort({ bind, metrics, isReady }: SyncPortOptions): Promise<SyncPort> {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(bind)
  const port = Number(match?.[3])
  if (match === null || port > LAST_PORT) {
    throw new UsageError(
      "git-sync/bad-option",
      `--http-bind is ${JSON.stringify(bind)}, expected HOST:PORT`,
      {
        hint: "Give :1234 or 127.0.0.1:1234.",
      },
    )
  }
  const host = match[1] || match[2] || undefined
  const server = createServer(async (request, response) => {
    const path = URL.parse(request.url ?? "/", "http://localhost")?.pathname ?? "/"
    response.setHeader("content-type", "text/plain; charset=utf-8")
    if (path === "/metrics" && metrics !== undefined) {
      response.setHeader("content-type", metrics.contentType)
      response.end(await metrics.metrics())
    } else if (path.startsWith("/debug/")) response.writeHead(404).end("not found\n")
    else if (isReady()) response.writeHead(200).end()
    else response.writeHead(503).end("repo is not ready\n")
  })
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => {
      reject(
        new HeadraceError("http/bind", `cannot listen on ${bind}`, {
          hint: "Give an address of this machine and a port that no other program has.",
          cause,
        }),
      )
    })
    server.listen({ port, ...(host === undefined ? {} : { host }) }, resolve)
  })
  const address = server.address()
  const bound = typeof address === "object" && address !== null ? address.port : port
  return {
    url: `http://${host === undefined ? "localhost" : host.includes(":") ? `[${host}]` : host}:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
