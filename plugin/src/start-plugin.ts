import { setTimeout as delay } from "node:timers/promises"
import { systemClock } from "@headrace/shared/foundation/clock"
import { errorText, UsageError } from "@headrace/shared/foundation/errors"
import type { Lanes } from "@headrace/shared/lanes/open-lanes"
import { wakeLanes } from "@headrace/shared/lanes/wake-lanes"
import type { Log } from "@headrace/shared/observe/log"
import type { OpsSources } from "@headrace/shared/observe/ops-routes"
import type { ProcessMetrics } from "@headrace/shared/observe/process-metrics"
import type { HttpServer, Route } from "@headrace/shared/observe/serve-http"
import type { Traces } from "@headrace/shared/observe/traces"
import type { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import { Registry } from "prom-client"
import { acceptDelivery } from "./deliveries/accept-delivery.ts"
import { openDeliveryBook } from "./deliveries/keep-deliveries.ts"
import { type OutcomeSeals, outcomeSeals } from "./deliveries/outcome-seals.ts"
import { sourcesOfChange } from "./deliveries/sources-of-change.ts"
import { logInToGitHub } from "./github/log-in.ts"
import { type MergeReports, reportMerges } from "./github/report-merges.ts"
import { keepObjects } from "./objects/keep-objects.ts"
import { objectsRoute } from "./objects/objects-route.ts"
import type { ReadObject } from "./objects/read-object.ts"
import { createPluginMetrics, type PluginMetrics } from "./observe/plugin-metrics.ts"
import { type PluginState, readPluginReadiness } from "./observe/plugin-readiness.ts"
import { refreshLaneGauges } from "./observe/refresh-lane-gauges.ts"
import { STATUS_PATH, statusRoute } from "./observe/status-route.ts"
import { traceChange } from "./observe/trace-change.ts"
import { helpRoute } from "./prow/help-route.ts"
import { keepSchedule } from "./triggers/keep-schedule.ts"
import { startPolls } from "./triggers/start-polls.ts"
import { watchLateLanes } from "./triggers/watch-late-lanes.ts"
import { watchRecords } from "./triggers/watch-records.ts"
import { watchRollouts } from "./triggers/watch-rollouts.ts"
import { type DeliveryRoutePorts, deliveryRoute } from "./webhook/delivery-route.ts"
import { newBodyRoom } from "./webhook/read-body.ts"
import { wakeRoutes } from "./webhook/wake-routes.ts"
import { openWebhookSecrets } from "./webhook/webhook-secrets.ts"
import type { PluginReconciler } from "./work/plugin-reconciler.ts"
import { type LaneWorkers, workLanes } from "./work/work-lanes.ts"

export interface StartPluginOptions {
  settings: OperatorSettings
  lanes: Lanes
  reconciler: PluginReconciler
  /** The open port; what it serves is replaced. */
  http: HttpServer
  /** A port of its own for probes and metrics; undefined: `http` serves them also. */
  opsHttp?: HttpServer | undefined
  /** The port that agents read objects of the store from, and how those are read; undefined: they are not served. */
  objects?: { http: HttpServer; read: ReadObject } | undefined
  /**
   * Called once everything has been opened that wrong settings can keep from opening, before any work begins:
   * the plugin that ran until now stops its own here.
   */
  takeOver?(): Promise<void>
  /** Where spans of each commit's way go; undefined: nowhere. */
  traces?: Traces | undefined
  /** Metrics of the process, served beside the plugin's own; they outlive a change of the settings. */
  process?: ProcessMetrics | undefined
  /** Called after a run of a lane. */
  onWorked?: (() => void) | undefined
  /** Cron pattern (UTC) of full reconciles. */
  schedule?: string | undefined
  log: Log
}

/** A running plugin. It leaves its ports, `lanes` and `reconciler` open, as it found them. */
export interface RunningPlugin {
  /** Says that it is not ready any more, for load balancers to notice. */
  leave(): void
  /** Ends its work. Webhooks are still taken until `http` closes or serves something else. */
  endWork(): Promise<void>
}

/** Longer only when Redis is away, which is then logged as at any other time. */
const WORKERS_START_MS = 3000
const WORKERS_LOOK_MS = 10

/**
 * Starts everything the plugin does: the webhook, a worker for each lane, the polls, probes and metrics.
 * Every lane is woken once at the start and whenever Redis has come back: what happened meanwhile is
 * unknown, and a look costs little. Throws UsageError for settings whose files do not read.
 */
export async function startPlugin(options: StartPluginOptions): Promise<RunningPlugin> {
  const { settings, lanes, reconciler, http, opsHttp, traces, log } = options
  const clusters = Object.keys(settings.clusters)
  const sources = Object.keys(settings.sources)
  const metrics = createPluginMetrics({ sizes: reconciler.sizes })
  const routes = await openRoutes(options, { metrics, log })
  const seals = outcomeSeals(
    settings.webhook && (await openWebhookSecrets(settings.webhook.secretFiles, log)),
  )
  const objects = await openObjects(options, metrics)
  const openReports = await openGitHub(options, seals)
  await options.takeOver?.()

  const stop = new AbortController()
  const reports = openReports?.()
  const onAnswered = reports?.notify ?? (async () => undefined)
  const workers = workLanes(
    lanes,
    { clusters, sources },
    reconciler,
    { metrics, traces, seals, onWorked: options.onWorked },
    onAnswered,
    log,
  )
  lanes.onOpen(() => {
    if (stop.signal.aborted) return
    wakeLanes(lanes, clusters, sources, { mode: "incremental", reason: "start" }).catch((error: unknown) => {
      log.warn({ err: errorText(error) }, "lanes could not be woken")
    })
  })
  keepSchedule(lanes, clusters, sources, options.schedule, log, stop.signal)
  const watches = Promise.all([
    startPolls({ settings, lanes, reconciler, metrics, traces, log }, stop.signal),
    watchLateLanes({ lanes, clusters, sources, log }, stop.signal),
    reconciler.returnFailed === undefined
      ? undefined
      : watchRollouts(
          { settings, returnFailed: reconciler.returnFailed, clock: systemClock, log },
          stop.signal,
        ),
    watchRecords({ lanes, reconciler, clusters, sources, records: metrics.records, log }, stop.signal),
  ])
  // The one before still answers: until our workers run there would be nobody ready.
  if (options.takeOver) await untilWorking(workers)
  let state: PluginState = "running"
  const ops: OpsSources = {
    registry: options.process
      ? Registry.merge([options.process.registry, metrics.registry])
      : metrics.registry,
    readiness: () => readPluginReadiness({ lanes, workers, clusters, sources, state }),
    beforeMetrics: () => refreshLaneGauges(lanes, clusters, sources, metrics),
  }
  const pages = statusPages(options)
  const { bounds } = settings
  await Promise.all([
    http.serve(opsHttp ? { routes, bounds } : { routes: new Map([...routes, ...pages]), ops, bounds }),
    opsHttp?.serve({ routes: pages, ops, bounds }),
    options.objects?.http.serve({ routes: new Map(), bounds, ...(objects && { otherwise: objects }) }),
  ])
  log.info({ url: http.url, opsUrl: opsHttp?.url, clusters, sources }, "plugin started")
  return {
    leave() {
      state = "leaving"
    },
    async endWork() {
      if (state === "running") state = "handing-over"
      stop.abort()
      await Promise.all([workers.close(), watches])
      await reports?.close()
    },
  }
}

async function untilWorking(workers: LaneWorkers): Promise<void> {
  const end = Date.now() + WORKERS_START_MS
  while (workers.idle().length > 0 && Date.now() < end) await delay(WORKERS_LOOK_MS)
}

/** What answers readers of objects; undefined when the settings or the command line have no place for them. */
async function openObjects(
  { settings, objects, log }: StartPluginOptions,
  metrics: PluginMetrics,
): Promise<Route | undefined> {
  if (settings.objects === undefined || objects === undefined) {
    if (settings.objects !== undefined) log.warn({}, "objects are not served: there is no --objects-listen")
    if (objects !== undefined) log.warn({}, "objects are not served: the settings have no `objects`")
    return undefined
  }
  const { tokenFiles, memory } = settings.objects
  return objectsRoute({
    tokens: await openWebhookSecrets(tokenFiles, log),
    read: keepObjects(objects.read, memory),
    onAnswer: (answer) => metrics.objectRequests.inc({ answer }),
    log,
  })
}

/** The status page, for the operations port; none where the settings turn it off. */
function statusPages({ settings, reconciler, lanes }: StartPluginOptions): Map<string, Route> {
  const readers = settings.statusPage
  const read = reconciler.status
  if (readers === "off" || read === undefined) return new Map()
  return new Map([[STATUS_PATH, statusRoute(() => read(lanes), readers)]])
}

/** What reports merges, not yet at work; undefined when the settings name no credentials for GitHub. */
async function openGitHub(
  options: StartPluginOptions,
  seals: OutcomeSeals,
): Promise<(() => MergeReports) | undefined> {
  const { lanes, reconciler, log } = options
  const settings = options.settings.github
  if (settings === undefined) return undefined
  const github = await logInToGitHub(settings, options.settings.bounds.answer)
  if (github === undefined) {
    log.warn({}, "no GitHub credentials in the settings: merges are not commented")
    return undefined
  }
  const clusters = Object.keys(options.settings.clusters)
  const { touched, verdicts } = reconciler
  const sourcesOf = (repo: string, branch: string) =>
    sourcesOfChange(options.settings, { repo, branch }).sources
  return () => reportMerges({ settings, github, lanes, clusters, sourcesOf, touched, verdicts, seals, log })
}

async function openRoutes(
  { settings, lanes, traces }: StartPluginOptions,
  { metrics, log }: Pick<DeliveryRoutePorts, "metrics" | "log">,
): Promise<Map<string, Route>> {
  const { webhook, wake, bounds } = settings
  const routes =
    wake === undefined
      ? new Map<string, Route>()
      : wakeRoutes({
          lanes,
          clusters: Object.keys(settings.clusters),
          sources: Object.keys(settings.sources),
          secrets: await openWebhookSecrets(wake.secretFiles, log),
          log,
        })
  if (webhook === undefined) {
    log.warn({}, "no webhook in the settings: changes are noticed by polling alone")
    return routes
  }
  if (
    ["/healthz", "/readyz", "/metrics", "/help", STATUS_PATH].includes(webhook.path) ||
    routes.has(webhook.path)
  ) {
    throw new UsageError("plugin/webhook-path", `webhook.path ${webhook.path} is one of our own pages`)
  }
  const secrets = await openWebhookSecrets(webhook.secretFiles, log)
  const book = openDeliveryBook(lanes)
  const accept: DeliveryRoutePorts["accept"] = async (delivery) => {
    const start = Date.now()
    const answer = await acceptDelivery(delivery, { settings, lanes, book, log })
    const { sha, repo, branch, event, guid } = delivery
    if (answer.result === "accepted" && sha !== undefined) {
      const attributes = {
        "github.repo": repo,
        "github.branch": branch,
        "github.event": event,
        "github.guid": guid,
      }
      traceChange({ traces, lanes, log }, { name: "headrace.webhook", commit: sha, start, attributes })
    }
    return answer
  }
  routes.set("/help", helpRoute(settings))
  const isConfigured = (repo: string) => sourcesOfChange(settings, { repo, branch: "" }).configured
  routes.set(
    webhook.path,
    deliveryRoute({
      secrets,
      accept,
      isConfigured,
      room: newBodyRoom(bounds.bodies),
      mostBytes: bounds.body,
      metrics,
      log,
    }),
  )
  return routes
}
