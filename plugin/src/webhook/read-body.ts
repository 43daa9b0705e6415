import type { IncomingMessage } from "node:http"
import { HeadraceError } from "@headrace/shared/foundation/errors"

/** GitHub's own cap: larger payloads are never sent. https://docs.github.com/webhooks/webhook-events-and-payloads */
export const BODY_LIMIT_BYTES = 25 * 1024 * 1024

/**
 * The body as bytes, never more than `limit` of them in memory: one that says it is longer is refused
 * before it is read, one that turns out longer as soon as it does. Throws `webhook/body-too-large` or
 * `webhook/body-cut`.
 */
export async function readBody(request: IncomingMessage, limit = BODY_LIMIT_BYTES): Promise<Buffer> {
  if (Number(request.headers["content-length"] ?? 0) > limit) throw tooLarge(limit)
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > limit) throw tooLarge(limit)
      chunks.push(chunk)
    }
  } catch (error) {
    if (error instanceof HeadraceError) throw error
    throw new HeadraceError("webhook/body-cut", "the sender went away in the middle of the body", {
      cause: error,
    })
  }
  return Buffer.concat(chunks)
}

function tooLarge(limit: number): HeadraceError {
  return new HeadraceError("webhook/body-too-large", `the body is larger than ${limit} bytes`)
}
