import { systemClock } from "@headrace/shared/foundation/clock"
import { hasCode } from "@headrace/shared/foundation/errors"
import { findRedisUrl } from "@headrace/shared/lanes/find-redis-url"
import { loadOperatorSettings } from "@headrace/shared/settings/load-operator-settings"
import type { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import {
  type ClusterSource,
  type ClusterSourceOptions,
  chooseClusterSources,
} from "../../cli/cluster-source-options.ts"
import { commandLog } from "../../cli/command-log.ts"

/** When a lane last brought its source to the goal, by whichever worker. */
export interface Lateness {
  /** ISO time; null: never, as far as Redis knows. */
  lastSuccess: string | null
  /** Longer ago than an hourly run allows. */
  late: boolean
}

/**
 * Asks Redis for the chosen lanes' last successes. Gives undefined where nothing says where Redis is,
 * or it does not answer: everything else of the status is shown without it.
 */
export async function readLateness(
  options: ClusterSourceOptions & { redisUrlFile?: string },
): Promise<(clusterSource: ClusterSource) => Lateness | undefined> {
  const settings = await loadOperatorSettings(options.config)
  const redis = await redisWhereItIsKnown(settings, options.redisUrlFile)
  if (redis === undefined) return () => undefined
  const { openLanes } = await import("@headrace/shared/lanes/open-lanes")
  const { isLate, readLaneAges } = await import("@headrace/shared/lanes/lane-ages")
  const log = commandLog(options.logLevel)
  const lanes = await openLanes({ redis, prefix: settings.redis.prefix, log })
  try {
    if (lanes.trouble()) return () => undefined
    const clusterSources = chooseClusterSources(settings, options)
    const clusters = [...new Set(clusterSources.map(({ cluster }) => cluster))]
    const sources = [...new Set(clusterSources.map(({ source }) => source))]
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

/** The settings' file with the URL is where the plugin runs; an operator's own machine need not have it. */
async function redisWhereItIsKnown(
  { redis }: OperatorSettings,
  flagFile: string | undefined,
): Promise<string | undefined> {
  try {
    return await findRedisUrl(redis, flagFile, process.env)
  } catch (error) {
    if (flagFile !== undefined || !hasCode(error, "lanes/redis-url-file")) throw error
    process.stderr.write(`${error.message}: when lanes last succeeded is unknown\n`)
    return undefined
  }
}
