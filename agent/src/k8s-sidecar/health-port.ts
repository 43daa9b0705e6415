import { createServer } from "node:http"
import type { Clock } from "@headrace/shared/foundation/clock"
import { HeadraceError, UsageError } from "@headrace/shared/foundation/errors"

/** What k8s-sidecar's /healthz reports. */
export interface Health {
  /** The first read is shown. */
  ready(): void
  contact(): void
  trouble(): void
  /** Why it is not healthy; undefined when it is. */
  problem(): string | undefined
}

const SILENCE_MS = 60_000

/** Not healthy before the first read, and while the API server cannot be read for a minute. */
export function createHealth(clock: Clock): Health {
  let isReady = false
  let failingSince: number | undefined
  return {
    ready() {
      isReady = true
    },
    contact() {
      failingSince = undefined
    },
    trouble() {
      failingSince ??= clock.now()
    },
    problem() {
      if (!isReady) return "NOT READY"
      const isLost = failingSince !== undefined && clock.now() - failingSince > SILENCE_MS
      return isLost ? "NOT LIVE (K8s contact lost)" : undefined
    },
  }
}

/** Serves /healthz. Throws UsageError `sidecar/bad-option` and `http/bind`. */
export async function openHealthPort(
  listen: string,
  health: Health,
): Promise<{ url: string; close(): Promise<void> }> {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(listen)
  if (match === null) {
    throw new UsageError("sidecar/bad-option", `cannot serve /healthz on ${JSON.stringify(listen)}`, {
      hint: "Set HEALTH_HOST to an address and HEALTH_PORT to a port.",
    })
  }
  const host = match[1] || match[2] || undefined
  const port = Number(match[3])
  const server = createServer((request, response) => {
    const isHealth = URL.parse(request.url ?? "/", "http://localhost")?.pathname === "/healthz"
    const problem = isHealth ? health.problem() : "Not Found"
    response.writeHead(isHealth ? (problem === undefined ? 200 : 503) : 404, {
      "content-type": "text/plain; charset=utf-8",
    })
    response.end(problem ?? "OK")
  })
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => {
      reject(
        new HeadraceError("http/bind", `cannot listen on ${listen}`, {
          hint: "Set HEALTH_PORT to a port that is free.",
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
