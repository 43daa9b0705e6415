import { Cluster, type Redis } from "ioredis"
import { HeadraceError } from "../foundation/errors.ts"
import { noteBreach } from "../observe/bound-breaches.ts"
import { createReplyMeter } from "./reply-meter.ts"

interface Bound {
  /** Bytes of one reply. */
  most: number
  onError(error: Error): void
}

/**
 * Closes a connection whose server sends a reply of more than `most` bytes; ioredis then connects again, and what was
 * asked fails or is asked again. `onError` gets `lanes/reply-too-large`. Binds the client's duplicates also: BullMQ waits
 * for jobs by one.
 */
export function boundReplies(client: Redis | Cluster, bound: Bound): void {
  if (client instanceof Cluster) {
    client.on("+node", (node: Redis) => boundReplies(node, bound))
    bindDuplicates(client, bound)
    return
  }
  client.on("connect", () => measure(client, bound))
  bindDuplicates(client, bound)
}

function measure({ stream }: Redis, { most, onError }: Bound): void {
  const meter = createReplyMeter(most)
  stream.prependListener("data", (chunk: Buffer) => {
    if (meter.push(chunk)) return
    // No more of it reaches the parser, which holds a reply until it is whole.
    stream.removeAllListeners("data")
    noteBreach("redisReply", "redis")
    const error = new HeadraceError(
      "lanes/reply-too-large",
      `Redis sent a reply of more than ${most} bytes`,
      {
        hint: "Check what the Redis URL leads to, or raise bounds.redisReply.",
      },
    )
    onError(error)
    stream.destroy(error)
  })
}

function bindDuplicates(client: { duplicate(...given: never[]): Redis | Cluster }, bound: Bound): void {
  const duplicate = client.duplicate.bind(client)
  const bounded = (...given: Parameters<typeof duplicate>) => {
    const other = duplicate(...given)
    boundReplies(other, bound)
    return other
  }
  // BullMQ wraps clients in proxies, for which the property must not be fixed.
  Object.defineProperty(client, "duplicate", { value: bounded, writable: true, configurable: true })
}
