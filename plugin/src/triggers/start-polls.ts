import { errorText } from "@headrace/shared/foundation/errors"
import type { Lanes } from "@headrace/shared/lanes/open-lanes"
import { wakeLanes } from "@headrace/shared/lanes/wake-lanes"
import type { Log } from "@headrace/shared/observe/log"
import type { Traces } from "@headrace/shared/observe/traces"
import type { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import type { PluginMetrics } from "../observe/plugin-metrics.ts"
import { traceChange } from "../observe/trace-change.ts"
import type { PluginReconciler } from "../work/plugin-reconciler.ts"
import { pollSource } from "./poll-sources.ts"

export interface StartPollsPorts {
  settings: OperatorSettings
  lanes: Lanes
  reconciler: PluginReconciler
  metrics: PluginMetrics
  traces: Traces | undefined
  log: Log
}

/** Polls every source until the signal aborts; the promise ends when all polls have. */
export async function startPolls(ports: StartPollsPorts, signal: AbortSignal): Promise<void> {
  const { settings, lanes, reconciler, metrics, traces, log } = ports
  const clusters = Object.keys(settings.clusters)
  const polls = Object.entries(settings.sources).map(([name, { poll }]) =>
    pollSource(
      name,
      poll,
      {
        tip: (source, stop) => reconciler.tip(source, stop),
        async onMoved(source, commit) {
          const start = Date.now()
          const woken = withDependents(settings, source)
          await wakeLanes(lanes, clusters, woken, { mode: "incremental", reason: "poll" })
          const attributes = { "headrace.source": source }
          traceChange({ traces, lanes, log }, { name: "headrace.poll", commit, start, attributes })
        },
        onSame: (source, tip) => wakeBehind(ports, source, tip, signal),
        onPolled(source, result) {
          metrics.polls.inc({ source, result })
          metrics.sourceReadable.set({ source }, result === "failed" ? 0 : 1)
        },
        log,
      },
      signal,
    ),
  )
  await Promise.all(polls)
}

/** Wakes the lane of each cluster that does not show what it is to show; gives whether there was one. */
async function wakeBehind(
  { settings, lanes, reconciler, log }: StartPollsPorts,
  source: string,
  tip: string,
  signal: AbortSignal,
): Promise<boolean> {
  const behind = await Promise.all(
    Object.keys(settings.clusters).map(async (cluster) => {
      try {
        return (await reconciler.isBehind(cluster, source, tip, signal)) ? [cluster] : []
      } catch (error) {
        // A cluster that does not answer has its own retry.
        log.debug({ cluster, source, err: errorText(error) }, "record could not be read")
        return []
      }
    }),
  )
  await wakeLanes(lanes, behind.flat(), [source], { mode: "incremental", reason: "behind" })
  return behind.flat().length > 0
}

/** A source and those that take their rules from it. */
function withDependents(settings: OperatorSettings, source: string): string[] {
  const dependents = Object.entries(settings.sources).filter(
    ([name, { rules }]) => name !== source && typeof rules !== "string" && rules.source === source,
  )
  return [source, ...dependents.map(([name]) => name)]
}
