import { systemClock } from "@headrace/shared/foundation/clock"
import { findRedisUrl } from "@headrace/shared/lanes/find-redis-url"
import { createLog } from "@headrace/shared/observe/log"
import { loadOperatorSettings } from "@headrace/shared/settings/load-operator-settings"
import { choosePlaces, type Place } from "../place-options.ts"
import type { StatusOptions } from "./status-options.ts"

/** When a lane last brought its source to the goal, by whichever worker. */
export interface Lateness {
  /** ISO time; null: never, as far as Redis knows. */
  lastSuccess: string | null
  /** Longer ago than an hourly run allows. */
  late: boolean
}

/**
 * Asks Redis for the chosen lanes' last successes. Gives undefined for every place where nothing says where Redis is,
 * or it does not answer: all else of the status is told without it.
 */
export async function readLateness(options: StatusOptions): Promise<(place: Place) => Lateness | undefined> {
  const settings = await loadOperatorSettings(options.config)
  const redis = await findRedisUrl(settings.redis, options.redisUrlFile, process.env)
  if (redis === undefined) return () => undefined
  const { openLanes } = await import("@headrace/shared/lanes/open-lanes")
  const { isLate, readLaneAges } = await import("@headrace/shared/lanes/lane-ages")
  const log = createLog("bootstrapper", { level: options.logLevel, destination: process.stderr })
  const lanes = await openLanes({ redis, prefix: settings.redis.prefix, log })
  try {
    if (lanes.trouble()) return () => undefined
    const places = choosePlaces(settings, options)
    const clusters = [...new Set(places.map(({ cluster }) => cluster))]
    const sources = [...new Set(places.map(({ source }) => source))]
    const ages = await readLaneAges(lanes, clusters, sources)
    return ({ cluster, source }) => {
      const age = ages.find((one) => one.cluster === cluster && one.source === source)
      if (age === undefined) return undefined
      const lastSuccess = age.lastSuccess === undefined ? null : new Date(age.lastSuccess).toISOString()
      return { lastSuccess, late: isLate(age, systemClock.now()) }
    }
  } finally {
    await lanes.close()
  }
}
