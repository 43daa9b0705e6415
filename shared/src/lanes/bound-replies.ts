import { Cluster, Command, type Redis } from "ioredis"
import { HeadraceError } from "../foundation/errors.ts"
import { noteBreach } from "../observe/bound-breaches.ts"
import { createReplyMeter } from "./reply-meter.ts"

/** Characters of a key in a message: another program may have chosen it. */
const MOST_NAME = 200

/** The command that a reply was too large for. */
export interface OversizedReply {
  /** Such as `hgetall`; undefined: the server sent what nobody had asked for. */
  command: string | undefined
  /** The keys that it names; a script may read others besides. */
  keys: readonly string[]
}

interface Bound {
  /** Bytes of one reply. */
  most: number
  onError(error: Error): void
  onOversized?: ((reply: OversizedReply) => void) | undefined
}

/**
 * Closes a connection whose server sends a reply of more than `most` bytes; ioredis then connects again, and what was
 * asked fails or is asked again. `onError` gets `lanes/reply-too-large`, `onOversized` what was asked. Binds the client's
 * duplicates also: BullMQ waits for jobs by one.
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

function measure(client: Redis, { most, onError, onOversized }: Bound): void {
  const { stream } = client
  const meter = createReplyMeter(most)
  stream.prependListener("data", (chunk: Buffer) => {
    if (meter.push(chunk)) return
    // No more of it reaches the parser, which holds a reply until it is whole.
    stream.removeAllListeners("data")
    noteBreach("redisReply", "redis")
    // The parser takes commands off the queue as it reads their replies; it has not seen this chunk.
    const asked = client.commandQueue.peekAt(meter.ended())?.command
    const keys = asked instanceof Command ? asked.getKeys().map(String) : []
    const reply = { command: asked?.name, keys }
    const error = new HeadraceError(
      "lanes/reply-too-large",
      `Redis sent a reply of more than ${most} bytes${askedText(reply)}`,
      {
        hint: "Check what the Redis URL leads to, or raise bounds.redisReply.",
      },
    )
    onError(error)
    onOversized?.(reply)
    stream.destroy(error)
  })
}

function askedText({ command, keys: [first] }: OversizedReply): string {
  return command === undefined ? "" : ` to ${[command, first?.slice(0, MOST_NAME)].join(" ").trim()}`
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
