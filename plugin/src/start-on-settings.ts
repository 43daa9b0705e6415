import { UsageError } from "@headrace/shared/foundation/errors"
import { openLanes } from "@headrace/shared/lanes/open-lanes"
import type { Log } from "@headrace/shared/observe/log"
import type { ProcessMetrics } from "@headrace/shared/observe/process-metrics"
import type { HttpServer } from "@headrace/shared/observe/serve-http"
import type { Traces } from "@headrace/shared/observe/traces"
import { openReconciler } from "@headrace/shared/reconcile/open-reconciler"
import type { FoundSettings } from "./next-settings.ts"
import { readFromStores } from "./objects/read-object.ts"
import { type RunningPlugin, startPlugin } from "./start-plugin.ts"
import { pluginReconciler } from "./work/plugin-reconciler.ts"

/** A running plugin with what it runs on and all that was opened for it. */
export interface SettledPlugin extends FoundSettings {
  plugin: RunningPlugin
  /** Ends its work and gives the mirrors back; webhooks are still taken. */
  endWork(): Promise<void>
  hasEnded(): boolean
  /** Closes the connections to Redis, after which no webhook can be accepted. */
  close(): Promise<void>
}

export interface StartOnSettingsOptions {
  http: HttpServer
  /** A port of its own for probes and metrics; undefined: `http` serves them also. */
  opsHttp?: HttpServer | undefined
  /** The port that agents read objects from. */
  objectsHttp?: HttpServer | undefined
  /** Metrics of the process. */
  process?: ProcessMetrics
  /** Where spans of each commit's way go. */
  traces?: Traces | undefined
  /** Called after a run of a lane. */
  onWorked?: () => void
  schedule?: string
  log: Log
}

/**
 * Opens Redis, mirrors and clusters as `found` names them, and starts the plugin on them. `before` is the one
 * that has run until now in this process: it ends its work when all is open, as two would not share a mirror,
 * and takes webhooks until this one does. Throws UsageError for settings that cannot be started, with `before`
 * untouched.
 */
export async function startOnSettings(
  found: FoundSettings,
  options: StartOnSettingsOptions,
  before?: SettledPlugin,
): Promise<SettledPlugin> {
  const { http, opsHttp, traces, schedule, log } = options
  const { settings } = found
  const redis = requireRedisUrl(found)
  const lanes = await openLanes({
    redis,
    prefix: settings.redis.prefix,
    mostReply: settings.bounds.redisReply,
    log,
  })
  const opened = await openReconciler(settings, log, { leads: true })
  const takeOver = before ? { takeOver: before.endWork } : {}
  try {
    const reconciler = pluginReconciler(opened, settings)
    const clusters = settings.objects?.clusters ?? Object.keys(settings.clusters)
    const { kube } = opened
    const readObject = readFromStores({ kube, namespace: settings.namespace, clusters, log })
    const plugin = await startPlugin({
      settings,
      lanes,
      reconciler,
      http,
      opsHttp,
      objects: options.objectsHttp && { http: options.objectsHttp, read: readObject },
      process: options.process,
      traces,
      onWorked: options.onWorked,
      ...takeOver,
      schedule,
      log,
    })
    await before?.close()
    let ended = false
    return {
      ...found,
      plugin,
      async endWork() {
        ended = true
        await plugin.endWork()
        await opened.close()
      },
      hasEnded: () => ended,
      close: lanes.close,
    }
  } catch (error) {
    await opened.close()
    await lanes.close()
    throw error
  }
}

function requireRedisUrl({ redisUrl }: FoundSettings): string {
  if (redisUrl !== undefined) return redisUrl
  throw new UsageError("lanes/no-redis", "nothing says where Redis is", {
    hint: "Give --redis-url-file, redis.urlFile in the settings, or REDIS_URL in the environment.",
  })
}
