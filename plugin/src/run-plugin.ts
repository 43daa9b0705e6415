import { UsageError } from "@headrace/shared/foundation/errors"
import { findRedisUrl } from "@headrace/shared/lanes/find-redis-url"
import { openLanes } from "@headrace/shared/lanes/open-lanes"
import { createLog, type Log } from "@headrace/shared/observe/log"
import { openReconciler } from "@headrace/shared/reconcile/open-reconciler"
import { loadOperatorSettings } from "@headrace/shared/settings/load-operator-settings"
import type { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import { Duration } from "@headrace/shared/settings/units"
import { appTokens } from "./github/app-tokens.ts"
import { nextSettings } from "./next-settings.ts"
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

/**
 * Runs the plugin until the signal aborts, then lets it finish or hand back what is under way. When the
 * settings change it starts over with the new ones, within this process.
 */
export async function runPlugin(options: RunPluginOptions, signal: AbortSignal): Promise<void> {
  const log = createLog("plugin", options.logLevel === undefined ? {} : { level: options.logLevel })
  let settings: OperatorSettings | undefined = await loadOperatorSettings(options.config)
  while (settings !== undefined) settings = await runOnSettings(settings, options, log, signal)
}

/** Runs on these settings; gives those that came after them, or undefined when the signal aborted. */
async function runOnSettings(
  settings: OperatorSettings,
  options: RunPluginOptions,
  log: Log,
  signal: AbortSignal,
): Promise<OperatorSettings | undefined> {
  const drain = readDuration(options.drain)
  const lanes = await openLanes({ redis: await requireRedisUrl(settings, options), log })
  const reconciler = await openReconciler(settings, log, {
    appTokens: appTokens(settings.github?.apiUrl ?? GITHUB_API),
  })
  try {
    const { listen, schedule } = options
    const own = pluginReconciler(reconciler, settings)
    const plugin = await startPlugin({ settings, lanes, reconciler: own, listen, drain, schedule, log })
    const next = await nextSettings(options.config, settings, log, signal)
    if (next) log.info({}, "settings changed: starting over")
    await (next ? plugin.handOver() : plugin.close())
    return next
  } finally {
    await reconciler.close()
    await lanes.close()
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
