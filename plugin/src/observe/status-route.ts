import type { IncomingMessage } from "node:http"
import { isIPv4 } from "node:net"
import type { Route } from "@headrace/shared/observe/serve-http"
import type { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import type { FleetStatus } from "@headrace/shared/status/fleet-status"
import { statusPage } from "@headrace/shared/status/status-page"

/** The path of the page. */
export const STATUS_PATH = "/status"

const HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "cache-control": "no-store",
  // The page has no script and loads nothing; nothing may frame it.
  "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
}

/**
 * Serves the status page to those who may read it. `loopback`: requests from this machine, as `kubectl port-forward` makes
 * them, by a name of this machine: a page of another site whose name was made to point here is refused (DNS rebinding).
 */
export function statusRoute(
  read: () => Promise<FleetStatus>,
  readers: Exclude<OperatorSettings["statusPage"], "off">,
): Route {
  return async (request, response) => {
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.writeHead(405, { allow: "GET, HEAD" }).end("only GET and HEAD\n")
      return
    }
    if (readers === "loopback" && !isFromLoopback(request)) {
      response.writeHead(403, { "content-type": "text/plain; charset=utf-8" })
      response.end("only from this machine: use kubectl port-forward, or set statusPage in the settings\n")
      return
    }
    const page = statusPage(await read(), { refresh: true })
    response.writeHead(200, HEADERS)
    response.end(request.method === "HEAD" ? undefined : page)
  }
}

function isFromLoopback({ socket, headers }: IncomingMessage): boolean {
  return isLoopback(socket.remoteAddress ?? "") && isOwnName(headers.host ?? "")
}

function isLoopback(address: string): boolean {
  const plain = address.replace(/^::ffff:/, "")
  return plain === "::1" || (isIPv4(plain) && plain.startsWith("127."))
}

function isOwnName(host: string): boolean {
  const name = host.replace(/:\d+$/, "")
  return name === "localhost" || isLoopback(name.replace(/^\[|\]$/g, ""))
}
