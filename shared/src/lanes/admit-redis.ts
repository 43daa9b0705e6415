import { Cluster } from "ioredis"
import { HeadraceError } from "../foundation/errors.ts"
import type { RedisClient } from "./connect-redis.ts"
import { noWrites, READONLY } from "./redis-refusal.ts"
import { requireRights } from "./redis-rights.ts"
import { LANES_FORMAT } from "./wake-up.ts"

export interface AdmitRedisOptions {
  /** Names the server in messages. */
  where: string
  /** Names the user of the connection in hints. */
  user: string
  /** Every key of this installation begins with it, and a colon. */
  prefix: string
  /** Where the format of the lanes is. */
  formatKey: string
  /** Also checks that the user has every right, and that a write is taken. */
  thorough: boolean
}

/**
 * Judges whether this Redis is fit for lanes, and marks it with our format. Gives true when it had no mark: it is new,
 * or was emptied. Throws `lanes/redis-evicts` (a Redis that drops keys when it is full drops queues silently: BullMQ's
 * "Going to production" asks for noeviction), `lanes/newer-format`, `lanes/redis-no-writes` or `lanes/redis-rights`.
 */
export async function admitRedis(client: RedisClient, options: AdmitRedisOptions): Promise<boolean> {
  const { where, user, prefix, formatKey, thorough } = options
  for (const node of client instanceof Cluster ? client.nodes("master") : [client]) {
    if (thorough) await requireRights(node, { key: formatKey, prefix, user })
    const info = await node.info()
    refuseEviction(info)
    refuseReplica(info, where)
  }
  // A write that changes nothing: reads say nothing about a disk that is full, or paused clients.
  if (thorough) await client.persist(formatKey)
  const found = await client.get(formatKey)
  if (found === null) await client.set(formatKey, String(LANES_FORMAT), "NX")
  const format = Number(found ?? LANES_FORMAT)
  if (format > LANES_FORMAT) {
    throw new HeadraceError(
      "lanes/newer-format",
      `the lanes in Redis have format ${format}, newer than ${LANES_FORMAT}, the newest that this version knows`,
      { hint: "Upgrade this program, or give it a redis.prefix of its own." },
    )
  }
  return found === null
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

/** Throws `lanes/redis-no-writes` where INFO says that the server is a replica. */
export function refuseReplica(info: string, where: string): void {
  if (!/^role:slave/m.test(info)) return
  throw noWrites(`Redis at ${where}`, READONLY)
}
