import type { ServerResponse } from "node:http"
import { errorText } from "@headrace/shared/foundation/errors"
import type { Lanes } from "@headrace/shared/lanes/open-lanes"
import { wakeLanes } from "@headrace/shared/lanes/wake-lanes"
import type { Log } from "@headrace/shared/observe/log"
import type { Route } from "@headrace/shared/observe/serve-http"
import { holdsSecret } from "./holds-secret.ts"
import type { WebhookSecrets } from "./webhook-secrets.ts"

/** What waking by `POST /wake/SOURCE` needs. */
export interface WakePorts {
  lanes: Lanes
  clusters: readonly string[]
  sources: readonly string[]
  secrets: Pick<WebhookSecrets, "texts">
  log: Log
}

/**
 * A route for each source, `POST /wake/SOURCE` with `Authorization: Bearer SECRET`: for forges and CI jobs that send no
 * webhook of GitHub's. It carries nothing but "check again", so the branch alone says what is shown. Answers 202 once
 * the lanes have it, 401, 405, or 503 with Retry-After.
 */
export function wakeRoutes(ports: WakePorts): Map<string, Route> {
  return new Map(ports.sources.map((source) => [`/wake/${source}`, wakeRoute(source, ports)]))
}

function wakeRoute(source: string, { lanes, clusters, secrets, log }: WakePorts): Route {
  return async (request, response) => {
    // Its body says nothing; left unread it would hold the connection.
    request.resume()
    if (request.method !== "POST") return answer(response, 405, "use POST", { allow: "POST" })
    if (!(await holdsSecret(request, secrets))) {
      return answer(response, 401, "give Authorization: Bearer SECRET", { "www-authenticate": "Bearer" })
    }
    try {
      await wakeLanes(lanes, clusters, [source], { mode: "incremental", reason: "wake" })
      answer(response, 202, `woken: ${source}`)
    } catch (error) {
      log.warn({ source, err: errorText(error) }, "a wake-up could not be accepted")
      answer(response, 503, "the lanes cannot take it now; try again", { "retry-after": "5" })
    }
  }
}

function answer(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { ...headers, "content-type": "text/plain; charset=utf-8" })
  response.end(`${text}\n`)
}
