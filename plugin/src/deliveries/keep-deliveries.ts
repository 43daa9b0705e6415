import { CLOCK_SLACK_MS } from "@headrace/shared/foundation/clock"
import type { Lanes } from "@headrace/shared/lanes/open-lanes"
import { deliveriesKey, deliveryKey } from "@headrace/shared/lanes/recent-deliveries"
import { redisError } from "@headrace/shared/lanes/redis-error"
import { LANES_FORMAT } from "@headrace/shared/lanes/wake-up"
import type { Delivery } from "../webhook/receive-delivery.ts"

/** GitHub lets a delivery be sent again for three days; a day more is for clocks and weekends. */
export const KEPT_SECONDS = 4 * 24 * 3600
/** However many come, some 10 MB in Redis; a Headrace with more than that in four days distinguishes those of fewer days. */
const KEPT_COUNT = 20_000
const TRIM_EVERY = 200

/** The deliveries of the last days, in Redis, shared by all plugins. */
export interface DeliveryBook {
  /** Notes a delivery as waiting for its outcome in each lane, not yet as accepted; false: it was before. */
  note(delivery: Delivery, sources: readonly string[], clusters: readonly string[]): Promise<boolean>
  /** From now on the same delivery is a duplicate. */
  markAccepted(guid: string): Promise<void>
}

export function openDeliveryBook(lanes: Lanes, keptCount = KEPT_COUNT): DeliveryBook {
  let noted = 0
  return {
    async note(delivery, sources, clusters) {
      const pending = sources.flatMap((source) =>
        clusters.map((cluster) => pendingKey(lanes, cluster, source)),
      )
      // The first too: a plugin that often restarts must not never get to it.
      if (noted++ % TRIM_EVERY === 0) await trimDeliveries(lanes, pending, keptCount)
      return noteDelivery(lanes, delivery, sources, pending)
    },
    async markAccepted(guid) {
      await lanes.redis.hset(deliveryKey(lanes, guid), "accepted", Date.now())
    },
  }
}

/** A sorted set of GUIDs by arrival, that a lane has yet to answer for a source. */
export function pendingKey(lanes: Lanes, cluster: string, source: string): string {
  return lanes.key("pending", cluster, source)
}

/** The times from which deliveries are kept, in milliseconds since the epoch: one that arrived at another time is none of ours. */
export function arrivalTimes(now: number): { first: number; last: number } {
  return { first: now - KEPT_SECONDS * 1000, last: now + CLOCK_SLACK_MS }
}

/** Takes off a set, whose scores are times of arrival, what is from none of those times. */
export async function dropUntimely(lanes: Lanes, key: string): Promise<void> {
  const { first, last } = arrivalTimes(Date.now())
  await lanes.redis.zremrangebyscore(key, "-inf", first)
  await lanes.redis.zremrangebyscore(key, `(${last}`, "+inf")
}

/** In one step, since webhooks come in bursts. All expires: a cluster that left the settings leaves nothing behind. KEYS: delivery, index, pending…; ARGV: guid, arrived, seconds, fields… */
const NOTE = `
  if redis.call("HEXISTS", KEYS[1], "accepted") == 1 then return 0 end
  redis.call("HSET", KEYS[1], unpack(ARGV, 4))
  redis.call("EXPIRE", KEYS[1], ARGV[3])
  for i = 2, #KEYS do
    redis.call("ZADD", KEYS[i], ARGV[2], ARGV[1])
    redis.call("EXPIRE", KEYS[i], ARGV[3])
  end
  return 1`

async function noteDelivery(
  lanes: Lanes,
  delivery: Delivery,
  sources: readonly string[],
  pending: readonly string[],
): Promise<boolean> {
  const { guid, event, repo, branch, sha, pull } = delivery
  const arrived = Date.now()
  const fields = { format: LANES_FORMAT, event, repo, branch, sha, sources: sources.join(" "), arrived }
  const all = Object.entries(pull === undefined ? fields : { ...fields, pull }).flat()
  const keys = [deliveryKey(lanes, guid), deliveriesKey(lanes), ...pending]
  try {
    return (await lanes.redis.eval(NOTE, keys.length, ...keys, guid, arrived, KEPT_SECONDS, ...all)) === 1
  } catch (cause) {
    throw redisError(`delivery ${guid}`, cause)
  }
}

async function trimDeliveries(lanes: Lanes, pending: readonly string[], keptCount: number): Promise<void> {
  const index = deliveriesKey(lanes)
  for (const key of [index, ...pending]) await dropUntimely(lanes, key)
  // A cluster that is away for weeks leaves no more behind than this.
  for (const key of pending) await lanes.redis.zremrangebyrank(key, 0, -keptCount - 1)
  const tooMany = (await lanes.redis.zcard(index)) - keptCount
  if (tooMany <= 0) return
  const popped = await lanes.redis.zpopmin(index, tooMany)
  // Answers come member, score, member, score.
  const guids = popped.filter((_, position) => position % 2 === 0)
  if (guids.length > 0) await lanes.redis.unlink(guids.map((guid) => deliveryKey(lanes, guid)))
}
