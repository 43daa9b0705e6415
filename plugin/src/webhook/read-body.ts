import type { IncomingMessage } from "node:http"
import { HeadraceError } from "@headrace/shared/foundation/errors"

/** GitHub's own cap: larger payloads are never sent. https://docs.github.com/webhooks/webhook-events-and-payloads */
export const BODY_LIMIT_BYTES = 25 * 1024 * 1024
/** Bodies up to this size need no room: the number of connections bounds them. */
const SMALL_BYTES = 64 * 1024
const ROOM_BYTES = 3 * BODY_LIMIT_BYTES

/**
 * Room for bodies in memory, over all requests. Before its signature has been checked a body is anybody's, so that
 * a few dozen senders at once could otherwise use up the memory.
 */
export interface BodyRoom {
  /** Bytes. */
  left: number
}

export function newBodyRoom(bytes = ROOM_BYTES): BodyRoom {
  return { left: bytes }
}

/**
 * The body as bytes, never more than `limit` of them in memory: one that says it is longer is refused
 * before it is read, one that turns out longer as soon as it does. Throws `webhook/body-too-large`,
 * `webhook/no-room` or `webhook/body-cut`.
 */
export async function readBody(
  request: IncomingMessage,
  room: BodyRoom,
  limit = BODY_LIMIT_BYTES,
): Promise<Buffer> {
  if (Number(request.headers["content-length"] ?? 0) > limit) throw tooLarge(limit)
  const chunks: Buffer[] = []
  let size = 0
  let taken = 0
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > limit) throw tooLarge(limit)
      const needed = size > SMALL_BYTES ? size - taken : 0
      if (needed > room.left) throw new HeadraceError("webhook/no-room", "too many large bodies at once")
      room.left -= needed
      taken += needed
      chunks.push(chunk)
    }
  } catch (error) {
    if (error instanceof HeadraceError) throw error
    throw new HeadraceError("webhook/body-cut", "the sender went away in the middle of the body", {
      cause: error,
    })
  } finally {
    room.left += taken
  }
  return Buffer.concat(chunks)
}

function tooLarge(limit: number): HeadraceError {
  return new HeadraceError("webhook/body-too-large", `the body is larger than ${limit} bytes`)
}
