import type { ServerResponse } from "node:http"

/** What became of a delivery; also the `result` label of headrace_webhook_deliveries_total. */
export type DeliveryResult =
  | "accepted"
  | "duplicate"
  | "ignored"
  | "unconfigured"
  | "ping"
  | "refused"
  | "not-enqueued"

/** What a delivery is answered. */
export interface Answer {
  status: number
  result: DeliveryResult
  /** For a reader of the delivery on GitHub's page. */
  message: string
  /** For `accepted`: the sources that were woken. */
  sources?: string[]
}

export function sendAnswer(response: ServerResponse, answer: Answer): void {
  const { status, ...body } = answer
  // A body that was refused unread is still coming: the connection cannot serve another request.
  const close = status === 413 || status === 503 ? { connection: "close" } : {}
  response.writeHead(status, { "content-type": "application/json; charset=utf-8", ...close })
  response.end(`${JSON.stringify(body)}\n`)
}
