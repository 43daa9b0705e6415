import { once } from "node:events"
import { UsageError } from "@headrace/shared/foundation/errors"
import { findRedisUrl } from "@headrace/shared/lanes/find-redis-url"
import { openLanes } from "@headrace/shared/lanes/open-lanes"
import { createLog, type Log } from "@headrace/shared/observe/log"
import { openReconciler } from "@headrace/shared/reconcile/open-reconciler"
import { loadOperatorSettings } from "@headrace/shared/settings/load-operator-settings"
import type { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import { Duration } from "@headrace/shared/settings/units"
import { appTokens } from "./github/app-tokens.ts"
import { startPlugin } from "./start-plugin.ts"
import { pluginReconciler } from "./work/plugin-reconciler.ts"

const GITHUB_API = "https://api.github.com"

/** The program's flags, as text. */
export interface RunPluginOptions {
  config: string
  listen: string
  redisUrlFile?: string
  drain: string
  schedule?: string
  logLevel?: string
}

/** Runs the plugin until the signal aborts, then lets it finish or hand back what is under way. */
export async function runPlugin(options: RunPluginOptions, signal: AbortSignal): Promise<void> {
  const settings = await loadOperatorSettings(options.config)
  const drain = readDuration(options.drain)
  const log = createLog("plugin", options.logLevel === undefined ? {} : { level: options.logLevel })
  const redis = await requireRedisUrl(settings, options)
  const lanes = await openLanes({ redis, log })
  try {
    const { listen, schedule } = options
    await runOn(lanes, { settings, drain, listen, schedule, log }, signal)
  } finally {
    await lanes.close()
  }
}

interface Run {
  settings: OperatorSettings
  drain: number
  listen: string
  schedule: string | undefined
  log: Log
}

async function runOn(
  lanes: Awaited<ReturnType<typeof openLanes>>,
  { settings, drain, listen, schedule, log }: Run,
  signal: AbortSignal,
): Promise<void> {
  const opened = await openReconciler(settings, log, {
    appTokens: appTokens(settings.github?.apiUrl ?? GITHUB_API),
  })
  try {
    const reconciler = pluginReconciler(opened, settings)
    const plugin = await startPlugin({ settings, lanes, reconciler, listen, drain, schedule, log })
    if (!signal.aborted) await once(signal, "abort")
    await plugin.close()
  } finally {
    await opened.close()
  }
}

async function requireRedisUrl(settings: OperatorSettings, options: RunPluginOptions): Promise<string> {
  const url = await findRedisUrl(settings.redis, options.redisUrlFile, process.env)
  if (url !== undefined) return url
  throw new UsageError("lanes/no-redis", "nothing says where Redis is", {
    hint: "Give --redis-url-file, redis.urlFile in the settings, or REDIS_URL in the environment.",
  })
}

function readDuration(text: string): number {
  const parsed = Duration.safeParse(text)
  if (parsed.success) return parsed.data
  throw new UsageError("plugin/drain", `--drain ${text}: expected a duration such as 5s`)
}
