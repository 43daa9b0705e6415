import type { Lanes } from "@headrace/shared/lanes/open-lanes"
import { redisError } from "@headrace/shared/lanes/redis-error"
import { LANES_FORMAT } from "@headrace/shared/lanes/wake-up"
import type { Delivery } from "../webhook/receive-delivery.ts"

/** GitHub lets a delivery be sent again for three days; a day more is for clocks and weekends. */
const KEPT_SECONDS = 4 * 24 * 3600
/** However many come: some 10 MB in Redis. */
const KEPT_COUNT = 20_000
const TRIM_EVERY = 200

/** The deliveries of the last days, in Redis, shared by all plugins. */
export interface DeliveryBook {
  /** True when this delivery was accepted before. */
  isKnown(guid: string): Promise<boolean>
  /** Notes a delivery as waiting for its outcome in each lane; not yet as accepted. */
  note(delivery: Delivery, sources: readonly string[], clusters: readonly string[]): Promise<void>
  /** From now on the same delivery is a duplicate. */
  markAccepted(guid: string): Promise<void>
}

export function openDeliveryBook(lanes: Lanes, keptCount = KEPT_COUNT): DeliveryBook {
  let noted = 0
  return {
    async isKnown(guid) {
      return (await lanes.redis.hexists(deliveryKey(lanes, guid), "accepted")) === 1
    },
    async note(delivery, sources, clusters) {
      await noteDelivery(lanes, delivery, sources, clusters, keptCount)
      if (++noted % TRIM_EVERY === 0) await trimDeliveries(lanes, keptCount)
    },
    async markAccepted(guid) {
      await lanes.redis.hset(deliveryKey(lanes, guid), "accepted", Date.now())
    },
  }
}

/** A hash: format, event, repo, branch, sha, pull, sources, arrived, accepted, and `outcome/CLUSTER/SOURCE`. */
export function deliveryKey(lanes: Lanes, guid: string): string {
  return lanes.key("delivery", guid)
}

/** A sorted set of GUIDs by arrival, that a lane has yet to answer for a source. */
export function pendingKey(lanes: Lanes, cluster: string, source: string): string {
  return lanes.key("pending", cluster, source)
}

async function noteDelivery(
  lanes: Lanes,
  delivery: Delivery,
  sources: readonly string[],
  clusters: readonly string[],
  keptCount: number,
): Promise<void> {
  const { guid, event, repo, branch, sha, pull } = delivery
  const arrived = Date.now()
  const fields = { format: LANES_FORMAT, event, repo, branch, sha, sources: sources.join(" "), arrived }
  const batch = lanes.redis.multi()
  batch.hset(deliveryKey(lanes, guid), pull === undefined ? fields : { ...fields, pull })
  batch.expire(deliveryKey(lanes, guid), KEPT_SECONDS)
  batch.zadd(lanes.key("deliveries"), arrived, guid)
  for (const source of sources) {
    for (const cluster of clusters) {
      const pending = pendingKey(lanes, cluster, source)
      batch.zadd(pending, arrived, guid)
      // A cluster that is away for weeks leaves no more behind than this.
      batch.zremrangebyrank(pending, 0, -keptCount - 1)
    }
  }
  await batch.exec().catch((cause: unknown) => {
    throw redisError(`delivery ${guid}`, cause)
  })
}

async function trimDeliveries(lanes: Lanes, keptCount: number): Promise<void> {
  const index = lanes.key("deliveries")
  await lanes.redis.zremrangebyscore(index, 0, Date.now() - KEPT_SECONDS * 1000)
  const tooMany = (await lanes.redis.zcard(index)) - keptCount
  if (tooMany <= 0) return
  const popped = await lanes.redis.zpopmin(index, tooMany)
  // Answers come member, score, member, score.
  const guids = popped.filter((_, position) => position % 2 === 0)
  if (guids.length > 0) await lanes.redis.unlink(guids.map((guid) => deliveryKey(lanes, guid)))
}
