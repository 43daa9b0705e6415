import type { RedisClient } from "./connect-redis.ts"

/** A queue of BullMQ, as far as its keys go. */
export interface KeyedQueue {
  /** The key of a part of the queue: `wait`, `active`, a job's id. */
  toKey(part: string): string
}

/**
 * Repairs what the loss of any single key leaves behind in a queue, in one step. It relies on BullMQ 6's keys: `meta`
 * (`concurrency`, `paused`), `id` (counts job ids), `wait` and `active` (lists of job ids), `delayed` (sorted set of
 * them), `ID` (a job's hash), `ID:lock`, `de:NAME` (the job that represents all of a name), `dn:NAME` (what is to follow
 * an active one, a hash), `repeat` (sorted set of schedules) and `repeat:ID` (a schedule's hash).
 *
 *  - A key that another program gave another type (`SET` on a list) fails every step of BullMQ's with WRONGTYPE: it is
 *    deleted, as if Redis had lost it, and what it lacks then is repaired.
 *  - A list of more than 10,000 is none of ours, which have a handful for each source, and to look at each would keep Redis
 *    from all else: it is deleted also.
 *  - `meta` must hold the queue to one job at a time, not paused and without a rate of its own: lanes have no use for a
 *    pause, and the log shows that a dashboard's button was pressed. Nor has a rate limit that lasts for hours (`limiter`).
 *  - An active job whose lock does not end, or not for many minutes, is no worker's: workers' locks last for seconds. It
 *    would keep the queue, which is worked one by one, for ever.
 *  - The counter of ids must be a count: BullMQ adds no job when another program wrote something else there.
 *  - Ids start from Redis' clock in milliseconds, so that a lost counter never gives an id to two jobs. BullMQ makes them
 *    text with Lua's 14 digits, so microseconds would be too many.
 *  - A job without its hash is taken off the lists, an active one when no worker holds its lock.
 *  - A name whose job is in no list would swallow all that comes under it, so it is freed.
 *
 * ARGV: the queue's first part of keys, then names. Gives what was repaired.
 */
const REPAIR = `
  local base = ARGV[1]
  local LONGEST_LIMIT = 2 * 3600 * 1000
  local LONGEST_LOCK = 10 * 60 * 1000
  local LONGEST_ID = 14
  local MOST_LISTED, MOST_NOTES, MOST_NAME = 10000, 50, 300
  local repaired = {}
  local listed = {}
  -- Another program may have chosen a name, and how many there are.
  local function note(what)
    if #repaired < MOST_NOTES then repaired[#repaired + 1] = string.sub(what, 1, MOST_NAME) end
  end
  local function exists(part) return redis.call("EXISTS", base .. part) == 1 end

  -- By reads of their types alone, so that the user of Redis needs no further right (TYPE).
  local function retype(part, ...)
    local answer = redis.pcall(...)
    if type(answer) ~= "table" or not answer.err or not string.find(answer.err, "WRONGTYPE", 1, true) then return end
    redis.call("DEL", base .. part)
    note(part .. " (WRONGTYPE)")
  end
  local function judge(part, count)
    retype(part, count, base .. part)
    if redis.call(count, base .. part) <= MOST_LISTED then return end
    redis.call("DEL", base .. part)
    note(part .. " (too many)")
  end
  for _, part in ipairs({ "wait", "active", "paused" }) do judge(part, "LLEN") end
  for _, part in ipairs({ "delayed", "prioritized", "marker", "repeat", "completed", "failed" }) do
    judge(part, "ZCARD")
  end
  judge("stalled", "SCARD")
  retype("meta", "HEXISTS", base .. "meta", "paused")
  retype("id", "GET", base .. "id")
  local last = redis.call("GET", base .. "id")
  if last and (#last > LONGEST_ID or not string.find(last, "^%d+$")) then
    redis.call("DEL", base .. "id")
    note("id (no count)")
  end
  for i = 2, #ARGV do
    retype("de:" .. ARGV[i], "GET", base .. "de:" .. ARGV[i])
    retype("dn:" .. ARGV[i], "HEXISTS", base .. "dn:" .. ARGV[i], "name")
  end
  for _, id in ipairs(redis.call("ZRANGE", base .. "repeat", 0, -1)) do
    retype("repeat:" .. id, "HEXISTS", base .. "repeat:" .. id, "name")
  end
  retype("events", "XTRIM", base .. "events", "MAXLEN", "~", 100000)
  for _, list in ipairs({ "wait", "active" }) do
    for _, id in ipairs(redis.call("LRANGE", base .. list, 0, -1)) do
      retype(id, "HEXISTS", base .. id, "data")
      retype(id .. ":lock", "GET", base .. id .. ":lock")
    end
  end
  for _, id in ipairs(redis.call("ZRANGE", base .. "delayed", 0, -1)) do
    retype(id, "HEXISTS", base .. id, "data")
  end

  if redis.call("HGET", base .. "meta", "concurrency") ~= "1" then
    redis.call("HSET", base .. "meta", "concurrency", "1")
    note("meta")
  end
  if redis.call("HDEL", base .. "meta", "paused") == 1 then note("paused") end
  if redis.call("HDEL", base .. "meta", "max", "duration") > 0 then note("rate") end
  local limited = redis.call("PTTL", base .. "limiter")
  if limited == -1 or limited > LONGEST_LIMIT then
    redis.call("DEL", base .. "limiter")
    note("limiter")
  end
  for _, id in ipairs(redis.call("LRANGE", base .. "active", 0, -1)) do
    local held = redis.call("PTTL", base .. id .. ":lock")
    if held == -1 or held > LONGEST_LOCK then
      redis.call("DEL", base .. id .. ":lock")
      note(id .. ":lock")
    end
  end
  while redis.call("RPOPLPUSH", base .. "paused", base .. "wait") do end
  if not exists("id") then
    local time = redis.call("TIME")
    redis.call("SET", base .. "id", string.format("%.0f", time[1] * 1000))
    note("id")
  end

  for _, list in ipairs({ "wait", "active" }) do
    local ids, living = redis.call("LRANGE", base .. list, 0, -1), {}
    for _, id in ipairs(ids) do
      if exists(id) or (list == "active" and exists(id .. ":lock")) then
        listed[id] = true
        living[#living + 1] = id
      else note(list .. "/" .. id) end
    end
    -- Written again as a whole: LREM reads the whole list for each id, and another program may have written thousands of them.
    if #living < #ids then
      redis.call("DEL", base .. list)
      for _, id in ipairs(living) do redis.call("RPUSH", base .. list, id) end
    end
  end
  for _, id in ipairs(redis.call("ZRANGE", base .. "delayed", 0, -1)) do
    if exists(id) then listed[id] = true
    else
      redis.call("ZREM", base .. "delayed", id)
      note("delayed/" .. id)
    end
  end

  for i = 2, #ARGV do
    local name = ARGV[i]
    local id = redis.call("GET", base .. "de:" .. name)
    if (id and not listed[id]) or (not id and exists("dn:" .. name)) then
      redis.call("DEL", base .. "de:" .. name, base .. "dn:" .. name)
      if id then redis.call("DEL", base .. id) end
      note(name)
    end
  end
  return repaired`

/** What is repaired where another program had paused the queue, or kept its jobs from being taken. */
export const HELD_UP: readonly string[] = ["paused", "rate", "limiter"]

/** What a repaired part is followed by that had another type. */
export const WRONG_TYPE = " (WRONGTYPE)"

/**
 * Repairs a queue after Redis lost any of its keys; `names` are the deduplication names to check. Gives what was
 * repaired, for the log: for a queue that is new, `meta` and `id`.
 */
export async function repairQueue(
  redis: RedisClient,
  queue: KeyedQueue,
  names: readonly string[],
): Promise<string[]> {
  const base = queue.toKey("")
  return (await redis.eval(REPAIR, 1, `${base}meta`, base, ...names)) as string[]
}
