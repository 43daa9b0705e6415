import type { RedisClient } from "./connect-redis.ts"

/** Keys of ours beside the queues, by the type that they have. */
export interface NoteKeys {
  hash: readonly string[]
  text: readonly string[]
  sorted: readonly string[]
}

/**
 * Deletes keys that another program gave another type, as if Redis had lost them: every command on them would fail with
 * WRONGTYPE. By reads alone, which the user of Redis may do. ARGV: how many are hashes, and how many texts; the others are
 * sorted sets. Gives the keys.
 */
const RETYPE = `
  local hashes, texts = tonumber(ARGV[1]), tonumber(ARGV[2])
  local deleted = {}
  for i, key in ipairs(KEYS) do
    local answer
    if i <= hashes then answer = redis.pcall("HEXISTS", key, "x")
    elseif i <= hashes + texts then answer = redis.pcall("GET", key)
    else answer = redis.pcall("ZCARD", key) end
    if type(answer) == "table" and answer.err and string.find(answer.err, "WRONGTYPE", 1, true) then
      redis.call("DEL", key)
      deleted[#deleted + 1] = key
    end
  end
  return deleted`

/** Deletes those of these keys that have another type; gives which. */
export async function repairNotes(redis: RedisClient, { hash, text, sorted }: NoteKeys): Promise<string[]> {
  const keys = [...hash, ...text, ...sorted]
  return (await redis.eval(RETYPE, keys.length, ...keys, hash.length, text.length)) as string[]
}
