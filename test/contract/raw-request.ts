import { once } from "node:events"
import { type IncomingMessage, request as requestHttp } from "node:http"
import { request as requestHttps } from "node:https"

/** Where a request goes, and by what right. */
interface Address {
  url: string
  token: string
}

export interface RawAnswer {
  status: number
  /** `Status.reason`, or undefined. */
  reason: string | undefined
  /** `Status.details.causes`, each as `reason field`. */
  causes: string[]
  body: Record<string, unknown>
}

/** One request as it is, past every client, so that statuses and reasons can be compared. */
export async function rawRequest(
  server: Address,
  method: string,
  path: string,
  body?: object | string,
  headers: Record<string, string> = {},
): Promise<RawAnswer> {
  const { status, text } = await rawText(server, method, path, body, headers)
  const answer = JSON.parse(text) as RawAnswer["body"]
  const details = answer.details as { causes?: { reason: string; field: string }[] } | undefined
  return {
    status,
    reason: answer.reason as string | undefined,
    causes: (details?.causes ?? []).map((cause) => `${cause.reason} ${cause.field}`),
    body: answer,
  }
}

/** One request whose answer need not be JSON. */
export async function rawText(
  server: Address,
  method: string,
  path: string,
  body?: object | string,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string }> {
  const url = new URL(server.url + path)
  const send = url.protocol === "https:" ? requestHttps : requestHttp
  const sent = typeof body === "object" ? JSON.stringify(body) : (body ?? "")
  const outgoing = send(url, {
    method,
    agent: false,
    rejectUnauthorized: false,
    headers: {
      authorization: `Bearer ${server.token}`,
      "content-type": "application/json",
      "content-length": Buffer.byteLength(sent),
      ...headers,
    },
  })
  outgoing.end(sent)
  const [message] = (await once(outgoing, "response")) as [IncomingMessage]
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  return { status: message.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }
}
