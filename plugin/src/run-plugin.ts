import { setTimeout as delay } from "node:timers/promises"
import { packageVersion } from "@headrace/shared/command-line/program"
import { errorText, UsageError } from "@headrace/shared/foundation/errors"
import { createLog, type Log } from "@headrace/shared/observe/log"
import { openTraces } from "@headrace/shared/observe/open-traces"
import { createProcessMetrics } from "@headrace/shared/observe/process-metrics"
import { type HttpServer, openHttp } from "@headrace/shared/observe/serve-http"
import { Duration, Wait } from "@headrace/shared/settings/units"
import { CronExpressionParser } from "cron-parser"
import { type FoundSettings, findSettings, nextSettings } from "./next-settings.ts"
import { keepIdleHeapSmall } from "./observe/idle-heap.ts"
import { addNodeMetrics } from "./observe/node-metrics.ts"
import { type SettledPlugin, startOnSettings } from "./start-on-settings.ts"

/** The program's flags, as text. */
export interface RunPluginOptions {
  config: string
  listen: string
  /** Where probes and metrics are served; undefined: on the port of `listen`. */
  opsListen?: string
  /** Where agents read objects of the store; undefined: nowhere. */
  objectsListen?: string
  redisUrlFile?: string
  drain: string
  schedule?: string
  settingsInterval?: string
  logLevel?: string
  otlpEndpoint?: string
}

/** How long settings that did not start are left alone: what they name (a mounted Secret) may yet come. */
const RETRY_MS = 60_000

/**
 * Runs the plugin until the signal aborts, then lets it finish or hand back what is under way. When the
 * settings change it starts over with the new ones, within this process: the port stays open, and webhooks are
 * taken all the while. Changed settings that do not start leave the last good ones in force.
 */
export async function runPlugin(options: RunPluginOptions, signal: AbortSignal): Promise<void> {
  const log = createLog("plugin", options.logLevel === undefined ? {} : { level: options.logLevel })
  const drain = readDrain(options.drain)
  const interval = readInterval(options.settingsInterval)
  if (options.schedule !== undefined) checkSchedule(options.schedule)
  const found = await findSettings(options.config, options.redisUrlFile)
  const { settings } = found
  const version = packageVersion(import.meta.url)
  const metrics = createProcessMetrics({ program: "headrace-plugin", version })
  addNodeMetrics(metrics.registry)
  const endpoint = options.otlpEndpoint
  const traces = await openTraces({ program: "headrace-plugin", version, endpoint, env: process.env, log })
  const http = await openHttp(options.listen, log, settings.bounds)
  const idleHeap = keepIdleHeapSmall()
  let opsHttp: HttpServer | undefined
  let objectsHttp: HttpServer | undefined
  try {
    if (options.opsListen !== undefined) opsHttp = await openHttp(options.opsListen, log, settings.bounds)
    if (options.objectsListen !== undefined) {
      objectsHttp = await openHttp(options.objectsListen, log, settings.bounds)
    }
    const onWorked = idleHeap.worked
    const opened = { ...options, http, opsHttp, objectsHttp, process: metrics, traces, onWorked, log }
    const first = await startOnSettings(found, opened)
    onWorked()
    const last = await followSettings(first, (next, before) => startOnSettings(next, opened, before), {
      file: options.config,
      redisUrlFile: options.redisUrlFile,
      interval,
      onRejected: metrics.settingsRejected,
      log,
      signal,
    })
    last.plugin.leave()
    await delay(drain)
    await http.close()
    await last.endWork()
    await last.close()
    log.info({}, "plugin stopped")
  } finally {
    idleHeap.stop()
    await Promise.all([http.close(), opsHttp?.close(), objectsHttp?.close(), traces?.close()])
  }
}

interface FollowOptions {
  file: string
  redisUrlFile: string | undefined
  interval: number
  /** Called with true when changed settings are rejected, with false when those in force are the file's. */
  onRejected(rejected: boolean): void
  log: Log
  signal: AbortSignal
}

/** Starts over whenever the files say something else; gives the plugin that runs when the signal aborts. */
async function followSettings(
  first: SettledPlugin,
  startOver: (found: FoundSettings, before: SettledPlugin) => Promise<SettledPlugin>,
  { file, redisUrlFile, interval, onRejected, log, signal }: FollowOptions,
): Promise<SettledPlugin> {
  let running = first
  let wait = interval
  for (;;) {
    const options = { redisUrlFile, log, signal, interval: wait, onRejected }
    const next = await nextSettings(file, running, options)
    if (next === undefined) return running
    log.info({}, "settings changed: starting over")
    try {
      running = await startOver(next, running)
      wait = interval
      onRejected(false)
    } catch (error) {
      if (running.hasEnded()) throw error
      onRejected(true)
      log.error({ err: errorText(error) }, "changed settings do not start; the last good ones stay in force")
      wait = RETRY_MS
    }
  }
}

function readDrain(text: string): number {
  const parsed = Duration.safeParse(text)
  if (parsed.success) return parsed.data
  throw new UsageError("plugin/drain", `--drain ${text}: expected a duration such as 5s`)
}

function readInterval(text = "2s"): number {
  const parsed = Wait.safeParse(text)
  if (parsed.success) return parsed.data
  throw new UsageError(
    "plugin/settings-interval",
    `--settings-interval ${text}: expected a duration such as 2s, at most 14d`,
  )
}

/** BullMQ would find out at the first wake-up, and the plugin would run on without its schedule. */
export function checkSchedule(pattern: string): void {
  if (isCron(pattern)) return
  throw new UsageError("plugin/schedule", `--schedule ${JSON.stringify(pattern)} is not a cron pattern`, {
    hint: 'Give five fields, such as "0 * * * *" for every hour or "*/15 * * * *" for every quarter.',
  })
}

/** True for a name such as @hourly, or for the five fields of crontab(5): the parser takes fewer, and one for seconds. */
function isCron(pattern: string): boolean {
  const fields = pattern.trim().split(/\s+/)
  if (fields.length !== 5 && !pattern.startsWith("@")) return false
  try {
    CronExpressionParser.parse(pattern, { tz: "UTC" })
    return true
  } catch {
    return false
  }
}
