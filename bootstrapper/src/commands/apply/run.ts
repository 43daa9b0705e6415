import { startProgress } from "@headrace/shared/command-line/progress"
import { hasCode, UsageError } from "@headrace/shared/foundation/errors"
import { findRedisUrl } from "@headrace/shared/lanes/find-redis-url"
import { type LaneResult, laneResult } from "@headrace/shared/lanes/lane-outcome"
import { type Lanes, openLanes } from "@headrace/shared/lanes/open-lanes"
import { openReconciler } from "@headrace/shared/reconcile/open-reconciler"
import { type Orphans, pruneOrphans } from "@headrace/shared/reconcile/operate/find-orphans"
import { placeText } from "@headrace/shared/reconcile/run/cluster-plan"
import { loadOperatorSettings } from "@headrace/shared/settings/load-operator-settings"
import { type CommandContext, suggestCommand } from "@headrace/shared/status/suggest-command"
import { applyThroughLanes } from "../../cli/apply-through-lanes.ts"
import { type ClusterSourceOptions, chooseClusterSources } from "../../cli/cluster-source-options.ts"
import { commandContext } from "../../cli/command-context.ts"
import { commandLog } from "../../cli/command-log.ts"
import {
  attempt,
  type ClusterSourceResult,
  errorOf,
  forEachClusterSource,
} from "../../cli/for-each-cluster-source.ts"
import { printResults } from "../../cli/print-results.ts"
import { readTimeLimit } from "../../cli/read-time-limit.ts"
import { resultText } from "../../cli/result-text.ts"
import { withCommand } from "../../cli/with-command.ts"

export interface ApplyOptions extends ClusterSourceOptions {
  direct: boolean
  incremental: boolean
  prune: boolean
  redisUrlFile?: string
  timeLimit: string
}

/** What each stage of a run does, for a person who waits. */
const STAGE_TEXT = {
  fetch: "fetching the branch",
  plan: "planning",
  store: "writing the store",
  view: "writing ConfigMaps",
  record: "writing the record",
}

type Applied = LaneResult & {
  /** What the rules ask for in clusters that the settings do not have. */
  unplaced: string[]
  milliseconds?: number
  orphans?: string[]
  pruned?: string[]
  /** Why --prune has removed nothing, where it could not know what no rule names. */
  notPruned?: string
}

const NOT_APPLIED: Orphans = { found: [], unknown: "this plan was not applied" }

/** Runs `apply`; gives the exit code: 1 when any cluster is not at its goal, or a target was not written. */
export async function runApply(options: ApplyOptions, signal: AbortSignal): Promise<number> {
  if (options.prune && !options.direct) {
    throw new UsageError("apply/prune", "--prune goes with --direct", { hint: "Add --direct." })
  }
  const results = options.direct ? await applyDirectly(options, signal) : await applyByLanes(options, signal)
  const code = printResults(results, options.output, appliedText)
  return results.every((one) => one.ok && isApplied(one.result)) ? code : 1
}

async function applyDirectly(
  options: ApplyOptions,
  signal: AbortSignal,
): Promise<ClusterSourceResult<Applied>[]> {
  const progress = startProgress("applying")
  const results = await forEachClusterSource(options, signal, async (reconciler, { cluster, source }) => {
    const start = performance.now()
    const outcome = await reconciler.run(cluster, source, modeOf(options), signal, (stage, done, total) => {
      const count = total === undefined ? "" : ` (${done} of ${total})`
      progress.report(`${source} in ${cluster}: ${STAGE_TEXT[stage]}${count}`)
    })
    const { written, token, stages } = outcome
    const milliseconds = Math.round(performance.now() - start)
    if (process.stderr.isTTY)
      process.stderr.write(
        `${source} in ${cluster}: ${outcome.result === "noop" ? "nothing to do" : outcome.result}\n`,
      )
    const isApplied = outcome.stopped === null && outcome.result !== "superseded"
    const orphans = isApplied ? await reconciler.orphans(cluster, source, signal, outcome) : NOT_APPLIED
    const kube = await reconciler.kube(cluster)
    const pruned = options.prune ? await pruneOrphans(kube, orphans.found, signal) : []
    const left = orphans.found.map(placeText).filter((place) => !pruned.includes(place))
    const notPruned = options.prune ? orphans.unknown : undefined
    const unplaced = await reconciler.unplaced(cluster, source, signal)
    const rest = { token, written, stages, milliseconds, orphans: left, pruned }
    return { ...laneResult(outcome), unplaced, ...rest, ...(notPruned === undefined ? {} : { notPruned }) }
  }).finally(progress.end)
  return results
}

async function applyByLanes(
  options: ApplyOptions,
  signal: AbortSignal,
): Promise<ClusterSourceResult<Applied>[]> {
  const settings = await loadOperatorSettings(options.config)
  const clusterSources = chooseClusterSources(settings, options)
  const redis = await findRedisUrl(settings.redis, options.redisUrlFile, process.env)
  if (redis === undefined) {
    throw new UsageError("lanes/no-redis", "nothing says where Redis is", {
      hint: "Give --redis-url-file, redis.urlFile in the settings, REDIS_URL, or --direct to do without.",
    })
  }
  const log = commandLog(options.logLevel)
  const reconciler = await openReconciler(settings, log)
  const context = commandContext(settings, options.config)
  const direct = directCommand(context, options)
  const progress = startProgress("waiting for the lanes")
  const { prefix } = settings.redis
  let lanes: Lanes | undefined
  try {
    lanes = await openLanes({ redis, prefix, mostReply: settings.bounds.redisReply, log })
    const applied = await applyThroughLanes(
      {
        lanes,
        clusters: [...new Set(clusterSources.map(({ cluster }) => cluster))],
        sources: [...new Set(clusterSources.map(({ source }) => source))],
        mode: modeOf(options),
        reason: "operator",
        openReconciler: async () => reconciler,
        timeLimit: readTimeLimit(options.timeLimit),
        onOutcome: (done, total, waits) =>
          progress.report(
            `${done} of ${total} sources have an outcome${waits === "" ? "" : `; not yet ${waits}`}`,
          ),
        log,
      },
      signal,
    )
    return await Promise.all(
      applied.map(async ({ cluster, source, result, trouble }): Promise<ClusterSourceResult<Applied>> => {
        if (trouble) return { cluster, source, ok: false, error: errorOf(withCommand(trouble, direct)) }
        if (!result) return { cluster, source, ok: false, error: NO_OUTCOME }
        const place = { cluster, source }
        const work = async () => ({
          ...result,
          unplaced: result.error ? [] : await reconciler.unplaced(cluster, source, signal),
        })
        return attempt(place, work, context)
      }),
    )
  } catch (error) {
    throw hasCode(error, "lanes/") ? withCommand(error, direct) : error
  } finally {
    progress.end()
    await lanes?.close()
    await reconciler.close()
  }
}

/** What does the same without Redis. */
function directCommand(context: CommandContext, options: ApplyOptions): string {
  const chosen = [
    ...(options.cluster ?? []).flatMap((name) => ["--cluster", name]),
    ...(options.source ?? []).flatMap((name) => ["--source", name]),
  ]
  return suggestCommand(context, ["apply", "--direct", ...chosen])
}

const NO_OUTCOME = {
  code: "apply/no-outcome",
  message: "no outcome within the time",
  hint: "See status: the wake-up stays in its lane.",
}

function modeOf(options: ApplyOptions): "incremental" | "full" {
  return options.incremental ? "incremental" : "full"
}

function isApplied(result: Applied): boolean {
  return (
    result.error === null &&
    result.failed.length === 0 &&
    result.unplaced.length === 0 &&
    result.notPruned === undefined
  )
}

function appliedText(result: Applied): string {
  const failed = result.failed.map(({ target, reason }) => `\n  ${target}: ${reason}`)
  const error = result.error ? `\n  ${result.error.message} [${result.error.code}]` : ""
  const orphans = result.orphans?.map(
    (place) => `\n  ${place}: no rule names it any more (--prune removes it)`,
  )
  const pruned = result.pruned?.map((place) => `\n  ${place}: removed, no rule names it any more`)
  const unplaced = result.unplaced.map((text) => `\n  ${text}`)
  const notPruned = result.notPruned === undefined ? [] : [`\n  nothing is pruned: ${result.notPruned}`]
  const rest = [failed, unplaced, orphans ?? [], pruned ?? [], notPruned].flat().join("")
  return `${resultText(result)}${error}${rest}`
}
