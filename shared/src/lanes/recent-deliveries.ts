import type { Lanes } from "./open-lanes.ts"
import { readFields } from "./read-fields.ts"

/** A webhook delivery that a plugin has noted. */
export interface NotedDelivery {
  guid: string
  /** Such as `push`. */
  event: string
  /** The commit that it brought. */
  sha: string
  /** The pull request that it merged; undefined: it was no merge. */
  pull: number | undefined
  /** Milliseconds since the epoch. */
  arrived: number
}

/** A hash: format, event, repo, branch, sha, pull, sources, arrived, accepted, and `outcome/CLUSTER/SOURCE`. */
export function deliveryKey(lanes: Pick<Lanes, "key">, guid: string): string {
  return lanes.key("delivery", guid)
}

/** A sorted set of the GUIDs of the last days by when they arrived. */
export function deliveriesKey(lanes: Pick<Lanes, "key">): string {
  return lanes.key("deliveries")
}

/** True when another program gave a delivery's key another type: then it is as if Redis had lost it. */
export function isRetyped(error: Error): boolean {
  return error.message.startsWith("WRONGTYPE")
}

/** The deliveries that arrived last, newest first, `most` of them at the most. Throws what Redis does. */
export async function recentDeliveries(lanes: Lanes, most: number): Promise<NotedDelivery[]> {
  const guids = await lanes.redis.zrevrange(deliveriesKey(lanes), 0, String(most - 1))
  const keys = guids.map((guid) => deliveryKey(lanes, guid))
  const rows = await readFields(lanes.redis, keys, ["event", "sha", "pull", "arrived"])
  return guids.flatMap((guid, at) => {
    const [event, sha, pull, arrived] = rows[at] ?? []
    if (!event || !sha) return []
    return [{ guid, event, sha, pull: pull ? Number(pull) : undefined, arrived: Number(arrived) }]
  })
}
