import type { Log } from "@headrace/shared/observe/log"
import { type HttpServer, openHttp, type Route } from "@headrace/shared/observe/serve-http"

/** What k8s-sidecar's /healthz reports. */
export interface Health {
  /** The first read is shown. */
  ready(): void
  /** Why it is not healthy; undefined when it is. */
  problem(): string | undefined
}

/**
 * Not healthy before the first read. An API server that cannot be read later on changes nothing: what is shown stays right, a new
 * start would not help, and the consumer would leave its Service with us. k8s-sidecar means to report it after a minute, and its
 * main loop, which renews the time of the last contact, keeps it from that.
 */
export function createHealth(): Health {
  let isReady = false
  return {
    ready() {
      isReady = true
    },
    problem: () => (isReady ? undefined : "NOT READY"),
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
