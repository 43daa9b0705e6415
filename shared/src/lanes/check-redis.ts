import { Cluster } from "ioredis"
import { HeadraceError } from "../foundation/errors.ts"
import { refuseReplica } from "./admit-redis.ts"
import { connectRedis, type RedisClient } from "./connect-redis.ts"
import { parseRedisUrl, redisAddressText } from "./redis-address.ts"
import { isRedisFull } from "./redis-memory.ts"
import { fullRedis, redisRefusal } from "./redis-refusal.ts"
import { redisTrouble } from "./redis-trouble.ts"

/** What another attempt within a second would not change. */
const REFUSED = /WRONGPASS|NOAUTH|invalid password|ECONNREFUSED/

/**
 * Asks a Redis once whether it is there, takes the login and writes. Throws what redisTrouble gives when the
 * connection, the login or writing is refused, or no answer comes within `limit` milliseconds, UsageError `lanes/redis-url` for
 * a URL that does not read.
 */
export async function checkRedis(url: string, limit: number): Promise<void> {
  const address = parseRedisUrl(url)
  const where = redisAddressText(address)
  const answer = Promise.withResolvers<void>()
  let last: Error | undefined
  const client = connectRedis(address, {
    failFast: true,
    timeLimit: limit,
    onError(error) {
      last = error
      if (isRefused(where, error)) answer.reject(error)
    },
  })
  const timer = setTimeout(() => answer.reject(last), limit)
  client.once("ready", () => refuseUnfit(client, where).then(answer.resolve, answer.reject))
  try {
    await answer.promise
  } catch (error) {
    throw refusedConnection(where, error) ?? redisTrouble(where, error)
  } finally {
    clearTimeout(timer)
    client.disconnect()
  }
}

/** A server that takes no wake-ups answers reads. */
async function refuseUnfit(client: RedisClient, where: string): Promise<void> {
  await client.ping()
  const servers = client instanceof Cluster ? client.nodes("master") : [client]
  for (const server of servers) refuseReplica(await server.info("replication"), where)
  if (await isRedisFull(client)) throw fullRedis(`Redis at ${where}`)
}

function isRefused(where: string, error: Error): boolean {
  const text = `${error.message} ${(error as NodeJS.ErrnoException).code}`
  return REFUSED.test(text) || redisRefusal(where, error) !== undefined
}

/** The error for an address where no server listens. */
function refusedConnection(where: string, error: unknown): HeadraceError | undefined {
  if ((error as NodeJS.ErrnoException | undefined)?.code !== "ECONNREFUSED") return undefined
  return new HeadraceError("lanes/redis-unavailable", `Redis at ${where} refuses the connection`, {
    hint: "Start it, or correct host and port in the Redis URL.",
    cause: error,
  })
}
