import type { RedisClient } from "./connect-redis.ts"

/** No note of ours is longer. */
const MOST_VALUE = 1_000_000
/** Bytes of all values of more than SMALL_VALUE together. */
const MOST_LARGE = 8 * 2 ** 20
const SMALL_VALUE = 1024

/** ARGV: the three bounds, fields. Gives a row of values for each key. */
const READ = `
  local most, left, small = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
  local rows = {}
  for at, key in ipairs(KEYS) do
    local values = redis.pcall("HMGET", key, unpack(ARGV, 4))
    local row = {}
    for field = 1, #ARGV - 3 do
      local value = not values.err and values[field]
      if value and #value > small then
        if #value > most or #value > left then value = false else left = left - #value end
      end
      row[field] = value
    end
    rows[at] = row
  end
  return rows`

/**
 * Reads some fields of many hashes in one step: a row for each key, with undefined for what is not there. So is a key of
 * another type, a value of more than a million bytes, and what is beyond 8 MiB in all but for small values: thousands of
 * replies that are each within `bounds.redisReply` would be in memory at one time. Throws what Redis does.
 */
export async function readFields(
  redis: RedisClient,
  keys: readonly string[],
  fields: readonly string[],
): Promise<(string | undefined)[][]> {
  if (keys.length === 0) return []
  const bounds = [MOST_VALUE, MOST_LARGE, SMALL_VALUE]
  const rows = (await redis.eval(READ, keys.length, ...keys, ...bounds, ...fields)) as (string | null)[][]
  return rows.map((row) => row.map((value) => value ?? undefined))
}
