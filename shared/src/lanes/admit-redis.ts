import { Cluster } from "ioredis"
import { HeadraceError } from "../foundation/errors.ts"
import type { RedisClient } from "./connect-redis.ts"
import { LANES_FORMAT } from "./wake-up.ts"

/**
 * Judges whether this Redis is fit for lanes, and marks it with our format. Throws
 * `lanes/redis-evicts` (a Redis that drops keys when it is full drops queues silently: BullMQ's "Going to
 * production" asks for noeviction) or `lanes/newer-format`.
 */
export async function admitRedis(client: RedisClient, formatKey: string): Promise<void> {
  for (const node of client instanceof Cluster ? client.nodes("master") : [client]) {
    refuseEviction(await node.info("memory"))
  }
  await client.set(formatKey, String(LANES_FORMAT), "NX")
  const format = Number(await client.get(formatKey))
  if (format > LANES_FORMAT) {
    throw new HeadraceError(
      "lanes/newer-format",
      `the lanes in Redis have format ${format}, newer than ${LANES_FORMAT}, the newest that this version knows`,
      { hint: "Upgrade this program, or give it a redis.prefix of its own." },
    )
  }
}

function refuseEviction(info: string): void {
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1]
  if (policy === undefined || policy === "noeviction") return
  throw new HeadraceError(
    "lanes/redis-evicts",
    `Redis has maxmemory-policy ${policy} and would drop queues when it is full`,
    { hint: "Set maxmemory-policy noeviction on it." },
  )
}
