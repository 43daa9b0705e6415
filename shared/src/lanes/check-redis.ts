import { HeadraceError } from "../foundation/errors.ts"
import { connectRedis } from "./connect-redis.ts"
import { parseRedisUrl, redisAddressText } from "./redis-address.ts"
import { redisRefusal } from "./redis-refusal.ts"
import { redisTrouble } from "./redis-trouble.ts"

/** What another attempt within a second would not change. */
const REFUSED = /WRONGPASS|NOAUTH|invalid password|ECONNREFUSED/

/**
 * Asks a Redis once whether it is there and takes the login. Throws what redisTrouble gives when the
 * connection or the login is refused, or no answer comes within `limit` milliseconds, UsageError `lanes/redis-url` for
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
  client.once("ready", () => client.ping().then(() => answer.resolve(), answer.reject))
  try {
    await answer.promise
  } catch (error) {
    throw refusedConnection(where, error) ?? redisTrouble(where, error)
  } finally {
    clearTimeout(timer)
    client.disconnect()
  }
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
