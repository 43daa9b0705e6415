import { systemClock } from "@headrace/shared/foundation/clock"
import { hasCode } from "@headrace/shared/foundation/errors"
import { findRedisUrl } from "@headrace/shared/lanes/find-redis-url"
import { openReconciler, type Reconciler } from "@headrace/shared/reconcile/open-reconciler"
import { createReconcileMemory } from "@headrace/shared/reconcile/run/memory"
import { loadOperatorSettings } from "@headrace/shared/settings/load-operator-settings"
import type { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import type { CollectPorts } from "@headrace/shared/status/collect-ports"
import type { LaneFacts } from "@headrace/shared/status/fleet-facts"
import { readLanes } from "@headrace/shared/status/read-lanes"
import type { CommandContext } from "@headrace/shared/status/suggest-command"
import {
  type ClusterSource,
  type ClusterSourceOptions,
  chooseClusterSources,
} from "./cluster-source-options.ts"
import { commandContext } from "./command-context.ts"
import { commandLog } from "./command-log.ts"
import { readTimeLimit } from "./read-time-limit.ts"

/** Flags of the commands that look at everything. */
export interface FleetOptions extends Omit<ClusterSourceOptions, "output"> {
  fetch: boolean
  answerLimit: string
  redisUrlFile?: string
}

/** What a command needs to collect facts about the chosen clusters and sources. */
export interface Fleet {
  settings: OperatorSettings
  clusterSources: ClusterSource[]
  reconciler: Reconciler
  ports: CollectPorts
  /** Milliseconds that git, Redis and clusters have to answer. */
  limit: number
  /** What the suggested commands name. */
  context: CommandContext
  close(): Promise<void>
}

/** Of the time that Redis has to answer, what waiting for a connection may take: so its reason is known by the end. */
const CONNECT_SHARE = 0.7

/** Opens what the operator's file names, at first use; `deliveries`: how many of the last are read. Throws UsageError. */
export async function openFleet(options: FleetOptions, deliveries = 0): Promise<Fleet> {
  const limit = readTimeLimit(options.answerLimit, "--answer-limit")
  const settings = await loadOperatorSettings(options.config)
  const clusterSources = chooseClusterSources(settings, options)
  const log = commandLog(options.logLevel)
  const reconciler = await openReconciler(settings, log)
  return {
    settings,
    clusterSources,
    reconciler,
    limit,
    context: commandContext(settings, options.config),
    ports: {
      settings,
      kube: reconciler.kube,
      repository: reconciler.repository,
      orphans: reconciler.orphans,
      lanes: await lanesOf(settings, options, { limit, clusterSources, deliveries }),
      clock: systemClock,
      memory: createReconcileMemory(),
    },
    close: reconciler.close,
  }
}

/** Undefined: nothing says where Redis is. */
async function lanesOf(
  settings: OperatorSettings,
  options: FleetOptions,
  {
    limit,
    clusterSources,
    deliveries,
  }: { limit: number; clusterSources: readonly ClusterSource[]; deliveries: number },
): Promise<CollectPorts["lanes"]> {
  // What is wrong with Redis is shown with everything else, once.
  const log = commandLog("silent")
  let url: string | undefined
  try {
    url = await findRedisUrl(settings.redis, options.redisUrlFile, process.env)
  } catch (error) {
    // The settings' file with the URL is where the plugin runs; an operator's own machine need not have it.
    if (options.redisUrlFile !== undefined || !hasCode(error, "lanes/redis-url-file")) throw error
    return () => Promise.reject(error)
  }
  if (url === undefined) return undefined
  const redis = url
  return async (): Promise<LaneFacts> => {
    const { openLanes } = await import("@headrace/shared/lanes/open-lanes")
    const { prefix } = settings.redis
    const lanes = await openLanes({ redis, prefix, firstLook: limit * CONNECT_SHARE, log })
    try {
      return await readLanes(lanes, clusterSources, deliveries)
    } finally {
      await lanes.close()
    }
  }
}
