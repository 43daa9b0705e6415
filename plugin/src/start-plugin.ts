import { setTimeout as delay } from "node:timers/promises"
import { errorText, UsageError } from "@headrace/shared/foundation/errors"
import type { Lanes } from "@headrace/shared/lanes/open-lanes"
import { wakeLanes } from "@headrace/shared/lanes/wake-lanes"
import type { Log } from "@headrace/shared/observe/log"
import type { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import { openDeliveryBook } from "./deliveries/keep-deliveries.ts"
import { openAsApp, openWithToken } from "./github/open-github.ts"
import { type MergeReports, reportMerges } from "./github/report-merges.ts"
import { createPluginMetrics } from "./observe/plugin-metrics.ts"
import { readPluginReadiness } from "./observe/plugin-readiness.ts"
import { helpRoute } from "./prow/help-route.ts"
import { type HttpServer, type Route, serveHttp } from "./serve-http.ts"
import { keepSchedule } from "./triggers/keep-schedule.ts"
import { startPolls } from "./triggers/start-polls.ts"
import { watchLateLanes } from "./triggers/watch-late-lanes.ts"
import { acceptDelivery } from "./webhook/accept-delivery.ts"
import { type DeliveryRoutePorts, deliveryRoute } from "./webhook/delivery-route.ts"
import { openWebhookSecrets } from "./webhook/webhook-secrets.ts"
import type { Reconciler } from "./work/reconciler.ts"
import { refreshLaneGauges } from "./work/watch-lanes.ts"
import { type LaneWorkers, workLanes } from "./work/work-lanes.ts"

export interface StartPluginOptions {
  settings: OperatorSettings
  lanes: Lanes
  reconciler: Reconciler
  /** HOST:PORT; port 0 picks one. */
  listen: string
  /** Milliseconds between saying "not ready" and taking no more requests, for load balancers to notice. */
  drain?: number
  /** Cron pattern (UTC) of full reconciles. */
  schedule?: string | undefined
  log: Log
}

/** A running plugin. It leaves `lanes` and `reconciler` open, as it found them. */
export interface RunningPlugin {
  url: string
  /** Takes no more webhooks, then ends. */
  close(): Promise<void>
  /** Ends, taking webhooks to the last: another plugin follows in this process. */
  handOver(): Promise<void>
}

/**
 * Starts everything the plugin does: the webhook, a worker for each lane, the polls, probes and metrics.
 * Every lane is woken once at the start and whenever Redis has come back: what happened meanwhile is
 * unknown, and a look costs little.
 */
export async function startPlugin(options: StartPluginOptions): Promise<RunningPlugin> {
  const { settings, lanes, reconciler, log } = options
  const clusters = Object.keys(settings.clusters)
  const sources = Object.keys(settings.sources)
  const metrics = createPluginMetrics()
  const stop = new AbortController()
  // A webhook secret that does not read must be told before anything runs.
  const routes = await openRoutes(options, { metrics, log })

  const reports = await openReports(options)
  const onAnswered = reports?.tell ?? (async () => undefined)
  const workers = workLanes(lanes, clusters, reconciler, metrics, onAnswered, log)
  lanes.onOpen(() => {
    wakeLanes(lanes, clusters, sources, { mode: "incremental", reason: "start" }).catch((error: unknown) => {
      log.warn({ err: errorText(error) }, "lanes could not be woken")
    })
  })
  keepSchedule(lanes, clusters, sources, options.schedule, log)
  const watches = Promise.all([
    startPolls({ settings, lanes, reconciler, metrics, log }, stop.signal),
    watchLateLanes({ lanes, clusters, sources, log }, stop.signal),
  ])
  const http = await serveHttp(
    options.listen,
    routes,
    {
      registry: metrics.registry,
      readiness: () => readPluginReadiness({ lanes, workers, clusters, sources, stopping: stop.signal }),
      beforeMetrics: () => refreshLaneGauges(lanes, clusters, sources, metrics),
    },
    log,
  ).catch(async (error: unknown) => {
    stop.abort()
    await workers.close()
    throw error
  })
  log.info({ url: http.url, clusters, sources }, "plugin started")
  const running = { stop, http, workers, watches, reports }
  return {
    url: http.url,
    async close() {
      stop.abort()
      await delay(options.drain ?? 0)
      await http.close()
      await endWork(running)
      log.info({}, "plugin stopped")
    },
    async handOver() {
      await endWork(running)
      await http.close()
    },
  }
}

interface Running {
  stop: AbortController
  http: HttpServer
  workers: LaneWorkers
  watches: Promise<unknown>
  reports: MergeReports | undefined
}

async function endWork({ stop, workers, watches, reports }: Running): Promise<void> {
  stop.abort()
  await Promise.all([workers.close(), watches])
  await reports?.close()
}

/** Undefined when the settings name no credentials for GitHub: then nothing is said there. */
async function openReports({
  settings,
  lanes,
  reconciler,
  log,
}: StartPluginOptions): Promise<MergeReports | undefined> {
  if (settings.github === undefined) return undefined
  const { tokenFile, githubApp, apiUrl } = settings.github
  const github = githubApp
    ? await openAsApp(githubApp, apiUrl)
    : tokenFile
      ? openWithToken(tokenFile, apiUrl)
      : undefined
  if (github === undefined) {
    log.warn({}, "no GitHub credentials in the settings: merges are not commented")
    return undefined
  }
  const clusters = Object.keys(settings.clusters)
  return reportMerges({
    settings: settings.github,
    github,
    lanes,
    clusters,
    touched: reconciler.touched,
    log,
  })
}

async function openRoutes(
  { settings, lanes }: StartPluginOptions,
  { metrics, log }: Pick<DeliveryRoutePorts, "metrics" | "log">,
): Promise<Map<string, Route>> {
  const routes = new Map<string, Route>()
  const { webhook } = settings
  if (webhook === undefined) {
    log.warn({}, "no webhook in the settings: changes are noticed by polling alone")
    return routes
  }
  if (["/healthz", "/readyz", "/metrics", "/help"].includes(webhook.path)) {
    throw new UsageError("plugin/webhook-path", `webhook.path ${webhook.path} is one of our own pages`)
  }
  const secrets = await openWebhookSecrets(webhook.secretFiles)
  const book = openDeliveryBook(lanes)
  const accept: DeliveryRoutePorts["accept"] = (delivery) =>
    acceptDelivery(delivery, { settings, lanes, book, log })
  routes.set("/help", helpRoute(settings))
  routes.set(webhook.path, deliveryRoute({ secrets, accept, metrics, log }))
  return routes
}
