import type { Clock } from "@headrace/shared/foundation/clock"
import type { Log } from "@headrace/shared/observe/log"
import { type HttpServer, openHttp, type Route } from "@headrace/shared/observe/serve-http"

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

/** Serves /healthz. Throws UsageError `http/listen`, and `http/bind` when the port cannot be had. */
export async function openHealthPort(listen: string, health: Health, log: Log): Promise<HttpServer> {
  const server = await openHttp(listen, log)
  const healthz: Route = async (_, response) => {
    const problem = health.problem()
    response.writeHead(problem === undefined ? 200 : 503, { "content-type": "text/plain; charset=utf-8" })
    response.end(problem ?? "OK")
  }
  await server.serve({ routes: new Map([["/healthz", healthz]]) })
  return server
}
