import { Cluster } from "ioredis"
import { HeadraceError, hasCode } from "../foundation/errors.ts"
import { withTimeLimit } from "../foundation/time-limit.ts"
import type { RedisClient } from "./connect-redis.ts"
import { noWrites } from "./redis-refusal.ts"

const LIMIT_MS = 1500

/**
 * Why commands get no answer, asked on a connection of its own, since a paused client's own waits: an error
 * `lanes/redis-no-writes` where reads are answered and writes are not (CLIENT PAUSE), `silence` where it is anything
 * else. `key` is one of this installation's.
 */
export async function explainSilence(
  client: RedisClient,
  where: string,
  key: string,
  silence: unknown,
): Promise<unknown> {
  if (client instanceof Cluster) return silence
  const other = client.duplicate({ enableOfflineQueue: true, retryStrategy: () => null })
  other.on("error", () => undefined)
  try {
    if (!(await answers(other.ping()))) return silence
    if (await answers(other.persist(key))) return silence
    return noWrites(`Redis at ${where}`, "it answers reads, and its clients are paused for writes", silence)
  } finally {
    other.disconnect()
  }
}

/** True when an answer comes in time, be it an error: the next check meets that, too. */
function answers(command: Promise<unknown>): Promise<boolean> {
  const late = () => new HeadraceError("lanes/redis-slow", "Redis did not answer in time")
  return withTimeLimit(command, LIMIT_MS, late).then(
    () => true,
    (error: unknown) => !hasCode(error, "lanes/redis-slow"),
  )
}
