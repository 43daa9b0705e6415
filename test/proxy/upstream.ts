import { once } from "node:events"
import {
  Agent as HttpAgent,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as requestHttp,
} from "node:http"
import { Agent as HttpsAgent, request as requestHttps } from "node:https"
import { text } from "node:stream/consumers"
import type { Answer } from "./past-states.ts"

/** A request as a client made it; `path` with its query. */
export interface ForwardedRequest {
  method: string
  path: string
  headers: IncomingHttpHeaders
  body: string
}

/** The API server behind the proxy. */
export interface Upstream {
  send(request: ForwardedRequest): Promise<Answer>
  /** Gives the head of the answer; the caller reads or destroys the stream. */
  open(request: ForwardedRequest): Promise<IncomingMessage>
  close(): void
}

/** Of the way between two parties alone (RFC 9110, 7.6.1), or of what the proxy could not read. */
const OWN_HEADERS = ["host", "connection", "accept-encoding", "content-length", "transfer-encoding"]

export function openUpstream(url: string): Upstream {
  const server = new URL(url)
  const secure = server.protocol === "https:"
  // The server under test signs its own certificate.
  const agent = secure
    ? new HttpsAgent({ keepAlive: true, rejectUnauthorized: false })
    : new HttpAgent({ keepAlive: true })

  async function open({ method, path, headers, body }: ForwardedRequest): Promise<IncomingMessage> {
    const kept = Object.entries(headers).filter(([name]) => !OWN_HEADERS.includes(name))
    const outgoing = (secure ? requestHttps : requestHttp)(new URL(path, server), {
      agent,
      method,
      headers: { ...Object.fromEntries(kept), "content-length": Buffer.byteLength(body) },
    })
    outgoing.end(body)
    const [message] = (await once(outgoing, "response")) as [IncomingMessage]
    return message
  }
  return {
    open,
    async send(request) {
      const message = await open(request)
      return { status: message.statusCode ?? 0, body: await text(message) }
    },
    close: () => agent.destroy(),
  }
}
