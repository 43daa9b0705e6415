import { CLOCK_SLACK_MS } from "../foundation/clock.ts"
import { parseJsonAs } from "../foundation/parse-json.ts"
import { LaneOutcome, succeeded } from "./lane-outcome.ts"
import type { Lanes } from "./open-lanes.ts"

/**
 * Numbers that grow, also across a Redis that was emptied or lost its last second: they are microseconds of
 * Redis' clock. An outcome that was saved with an earlier number is then no answer to a later one.
 */
const DRAW = `
  local time = redis.call("TIME")
  local now = time[1] * 1000000 + time[2]
  local last = tonumber(redis.call("GET", KEYS[1]) or "0") or 0
  -- No clock of Redis goes back by more: another program wrote this.
  if last ~= last or last > now + 86400000000 then last = 0 end
  local ticket = string.format("%.0f", math.max(last + 1, now))
  redis.call("SET", KEYS[1], ticket)
  return ticket`

/**
 * Draws a ticket. Work that begins after this sees it, so the outcome to wait for is the first whose
 * ticket is at least this one. Redis emptied forgets it: compare with `lastTicket`.
 */
export async function drawTicket(lanes: Lanes): Promise<number> {
  return Number(await lanes.redis.eval(DRAW, 1, lanes.key("ticket")))
}

/** The ticket drawn last; 0 when none was. */
export async function lastTicket(lanes: Lanes): Promise<number> {
  const ticket = Number((await lanes.redis.get(lanes.key("ticket"))) ?? 0)
  return Number.isSafeInteger(ticket) && ticket >= 0 ? ticket : 0
}

/** Keeps the last outcome of its source and mode, and when the source last succeeded. */
export async function saveOutcome(lanes: Lanes, cluster: string, outcome: LaneOutcome): Promise<void> {
  const field = `${outcome.source}/${outcome.mode}`
  const batch = lanes.redis.multi().hset(lanes.key("outcomes", cluster), field, JSON.stringify(outcome))
  if (succeeded(outcome)) batch.hset(successesKey(lanes, cluster), outcome.source, String(outcome.at))
  await batch.exec()
}

/** A hash of the time of each source's last success in a lane. */
export function successesKey(lanes: Pick<Lanes, "key">, cluster: string): string {
  return lanes.key("successes", cluster)
}

/** Milliseconds since the epoch. What no clock says does not count: it would hide that a lane is late. */
export function successTime(text: string | undefined): number | undefined {
  const time = Number(text)
  return time > 0 && time <= Date.now() + CLOCK_SLACK_MS ? time : undefined
}

/** When each source last succeeded in a lane, in milliseconds since the epoch. */
export async function readSuccesses(lanes: Lanes, cluster: string): Promise<Map<string, number>> {
  const times = await lanes.redis.hgetall(successesKey(lanes, cluster))
  return new Map(
    Object.entries(times).flatMap(([source, text]) => {
      const time = successTime(text)
      return time === undefined ? [] : [[source, time] as const]
    }),
  )
}

/**
 * Keeps how many ConfigMaps no rule of a source names any more, as a full run counted them: every replica shows the number,
 * whichever one has counted.
 */
export async function saveOrphans(
  lanes: Lanes,
  cluster: string,
  source: string,
  count: number,
): Promise<void> {
  await lanes.redis.hset(lanes.key("orphans", cluster), source, String(count))
}

/** The counts that `saveOrphans` has kept of a cluster, by source. */
export async function readOrphans(lanes: Lanes, cluster: string): Promise<Map<string, number>> {
  const counts = await lanes.redis.hgetall(lanes.key("orphans", cluster))
  return new Map(
    Object.entries(counts)
      .map(([source, count]) => [source, Number(count)] as const)
      .filter(([, count]) => Number.isSafeInteger(count) && count >= 0),
  )
}

/** The last outcome of each source and mode in a lane. Entries of a newer format are left out. */
export async function readOutcomes(lanes: Lanes, cluster: string): Promise<LaneOutcome[]> {
  const entries = await lanes.redis.hvals(lanes.key("outcomes", cluster))
  return entries.flatMap((text) => {
    return parseJsonAs(LaneOutcome, text) ?? []
  })
}
