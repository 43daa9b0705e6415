import { errorText, HeadraceError } from "../foundation/errors.ts"
import { shareNext } from "../foundation/share-next.ts"
import { withTimeLimit } from "../foundation/time-limit.ts"
import type { Log } from "../observe/log.ts"
import { DEFAULT_WRITER_BOUNDS } from "../settings/bounds.ts"
import type { OversizedReply } from "./bound-replies.ts"
import { connectRedis, type RedisClient } from "./connect-redis.ts"
import type { RedisAddress } from "./redis-address.ts"

interface DropOptions {
  address: RedisAddress
  /** First part of every key of ours. */
  prefix: string
  /** Bytes of one reply; absent: the default of `bounds.redisReply`. */
  mostReply?: number | undefined
  log: Log
}

const DROP_LIMIT_MS = 30_000
/** A reply may be of several keys, each of them smaller. */
const PART_OF_REPLY = 16
/** Commands whose keys are known to nobody but the script. */
const SCRIPTS: ReadonlySet<string | undefined> = new Set(["eval", "evalsha"])

/**
 * Deletes those of some keys, and of what queues have, that hold more than a number of bytes. A key is of any type, and
 * measured by reads of each type, which the user of Redis may do. A stream is read by nobody. Each element counts 16 bytes
 * besides, for its length on the wire. ARGV: the bytes, then the first parts of the queues' keys. Gives the keys, shortened.
 */
const DROP = `
  local most = tonumber(ARGV[1])
  local READS = { { "GET" }, { "HGETALL" }, { "LRANGE", 0, -1 }, { "ZRANGE", 0, -1 }, { "SMEMBERS" } }
  local dropped = {}

  local function read(key)
    for _, command in ipairs(READS) do
      local answer = redis.pcall(command[1], key, unpack(command, 2))
      if type(answer) == "string" then return { answer } end
      if type(answer) == "table" and not answer.err then return answer end
    end
    return {}
  end
  -- Gives the elements of what may stay.
  local function judge(key)
    local elements, size = read(key), 0
    for _, element in ipairs(elements) do size = size + #element + 16 end
    if size <= most then return elements end
    redis.call("DEL", key)
    dropped[#dropped + 1] = string.sub(key, 1, 200)
    return {}
  end

  for _, key in ipairs(KEYS) do judge(key) end
  for i = 2, #ARGV do
    local base = ARGV[i]
    for _, part in ipairs({ "meta", "id", "marker", "stalled", "limiter" }) do judge(base .. part) end
    for _, id in ipairs(judge(base .. "repeat")) do judge(base .. "repeat:" .. id) end
    for _, list in ipairs({ "wait", "active", "paused", "delayed", "prioritized", "completed", "failed" }) do
      for _, id in ipairs(judge(base .. list)) do
        judge(base .. id)
        judge(base .. id .. ":lock")
      end
    end
  end
  return dropped`

/**
 * Gives a function that deletes what a reply was too large for, as if Redis had lost it: whatever asks for it would close the
 * connection of all lanes again, for ever. It does so by a connection of its own, since the other one is closed, and
 * logs the keys. Keys of others stay.
 */
export function dropOversized(options: DropOptions): (reply: OversizedReply) => void {
  const { address, prefix, mostReply = DEFAULT_WRITER_BOUNDS.redisReply, log } = options
  const asked: OversizedReply[] = []

  function ours(replies: readonly OversizedReply[]): string[] {
    const keys = replies.flatMap((reply) => reply.keys)
    return [...new Set(keys)].filter((key) => key.startsWith(`${prefix}:`))
  }
  const drop = shareNext(async () => {
    const replies = asked.splice(0)
    const keys = ours(replies)
    if (keys.length === 0) return
    const queues = queuesOf(ours(replies.filter(({ command }) => SCRIPTS.has(command))))
    const onError = (error: Error) => log.debug({ err: error.message }, "redis connection failed")
    const redis = connectRedis(address, { failFast: false, mostReply, onError })
    try {
      const late = () =>
        new HeadraceError("lanes/redis-slow", "Redis did not delete what is too large in time")
      const dropping = dropKeys(redis, keys, queues, mostReply)
      const dropped = await withTimeLimit(dropping, DROP_LIMIT_MS, late)
      const commands = [...new Set(replies.map(({ command }) => command))]
      if (dropped.length > 0)
        log.warn(
          { keys: dropped, commands, bound: "redisReply", bytes: mostReply },
          "keys of ours had grown too large; deleted",
        )
    } finally {
      redis.disconnect()
    }
  })
  return (reply) => {
    asked.push(reply)
    drop().catch((error: unknown) =>
      log.warn({ err: errorText(error) }, "what is too large in redis is still there"),
    )
  }
}

async function dropKeys(
  redis: RedisClient,
  keys: readonly string[],
  queues: readonly string[],
  mostReply: number,
): Promise<string[]> {
  const most = Math.floor(mostReply / PART_OF_REPLY)
  return (await redis.eval(DROP, keys.length, ...keys, most, ...queues)) as string[]
}

/** The first parts of the keys of the queues that a script's keys belong to: all before the last colon. */
function queuesOf(keys: readonly string[]): string[] {
  return [...new Set(keys.map((key) => key.slice(0, key.lastIndexOf(":") + 1)))]
}
