import type { IncomingMessage, ServerResponse } from "node:http"
import type { Registry } from "prom-client"

/** What `/readyz` answers: ready, with what is worth a look, or the reasons why not, a line each. */
export interface Readiness {
  ready: boolean
  reasons: string[]
}

export interface OpsSources {
  registry: Registry
  readiness(): Readiness | Promise<Readiness>
  /** Called before metrics are given, to bring gauges up to date; what it throws is ignored. */
  beforeMetrics?(): Promise<void>
}

/** True when nothing is worth a look either. */
export function isCurrent({ ready, reasons }: Readiness): boolean {
  return ready && reasons.length === 0
}

/**
 * Answers `/healthz` (alive, nothing more: restarting us would not repair Redis), `/readyz`, which with
 * `?current` fails for everything that is worth a look too, and `/metrics`.
 * Gives false for any other path, untouched.
 */
export async function answerOps(
  request: IncomingMessage,
  response: ServerResponse,
  sources: OpsSources,
): Promise<boolean> {
  const url = URL.parse(request.url ?? "/", "http://localhost")
  switch (url?.pathname) {
    case "/healthz":
      text(response, 200, "ok\n")
      return true
    case "/readyz": {
      const readiness = await sources.readiness()
      const { reasons } = readiness
      const ready = url.searchParams.has("current") ? isCurrent(readiness) : readiness.ready
      text(response, ready ? 200 : 503, [...(ready ? ["ok"] : []), ...reasons, ""].join("\n"))
      return true
    }
    case "/metrics":
      await sources.beforeMetrics?.().catch(() => undefined)
      response.writeHead(200, { "content-type": sources.registry.contentType })
      response.end(await sources.registry.metrics())
      return true
    default:
      return false
  }
}

function text(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" })
  response.end(body)
}
