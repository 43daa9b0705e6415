import type { LaneOutcome } from "../lanes/lane-outcome.ts"
import { readOutcomes, readSuccesses } from "../lanes/lane-outcomes.ts"
import { readPause } from "../lanes/lane-pauses.ts"
import { nextRetry } from "../lanes/lane-retry.ts"
import type { Lanes } from "../lanes/open-lanes.ts"
import { recentDeliveries } from "../lanes/recent-deliveries.ts"
import { isRedisFull } from "../lanes/redis-memory.ts"
import { readHoldUp } from "../lanes/rollout-hold-up.ts"
import { type LaneFacts, laneKey } from "./fleet-facts.ts"

/**
 * Reads what Redis keeps of these sources and of their clusters' lanes, and as many of the last deliveries. Throws why
 * lanes cannot be used, `lanes/…`.
 */
export async function readLanes(
  lanes: Lanes,
  clusterSources: readonly { cluster: string; source: string }[],
  deliveries = 0,
): Promise<LaneFacts> {
  const trouble = lanes.trouble()
  if (trouble) throw trouble
  const clusters = [...new Set(clusterSources.map(({ cluster }) => cluster))]
  const each = await Promise.all(
    clusters.map(async (cluster) => {
      const [successes, outcomes, pause] = await Promise.all([
        readSuccesses(lanes, cluster),
        readOutcomes(lanes, cluster),
        readPause(lanes, cluster),
      ])
      return { cluster, successes, outcomes, pause }
    }),
  )
  const successes = each.flatMap(({ cluster, successes: of }) =>
    [...of].map(([source, time]) => [laneKey(cluster, source), time] as const),
  )
  return {
    successes: new Map(successes),
    outcomes: newestOutcomes(each),
    deliveries: deliveries > 0 ? await recentDeliveries(lanes, deliveries) : [],
    holdUps: await readHoldUps(lanes, clusterSources),
    retries: await readRetries(lanes, clusterSources),
    isFull: await isRedisFull(lanes.redis),
    pauses: new Map(each.map(({ cluster, pause }) => [cluster, pause])),
  }
}

async function readHoldUps(
  lanes: Lanes,
  clusterSources: readonly { cluster: string; source: string }[],
): Promise<Map<string, readonly string[]>> {
  const each = clusterSources.map(async ({ cluster, source }) => {
    return [laneKey(cluster, source), await readHoldUp(lanes, cluster, source)] as const
  })
  return new Map(await Promise.all(each))
}

async function readRetries(
  lanes: Lanes,
  clusterSources: readonly { cluster: string; source: string }[],
): Promise<Map<string, number>> {
  const each = clusterSources.map(async ({ cluster, source }) => {
    const time = await nextRetry(lanes, cluster, source)
    return time === undefined ? [] : [[laneKey(cluster, source), time] as const]
  })
  return new Map((await Promise.all(each)).flat())
}

/** A source has an outcome for each mode; the newer one says what is so. */
function newestOutcomes(
  each: readonly { cluster: string; outcomes: readonly LaneOutcome[] }[],
): Map<string, LaneOutcome> {
  const newest = new Map<string, LaneOutcome>()
  for (const { cluster, outcomes } of each) {
    for (const outcome of outcomes) {
      const key = laneKey(cluster, outcome.source)
      const known = newest.get(key)
      if (known === undefined || known.at < outcome.at) newest.set(key, outcome)
    }
  }
  return newest
}
