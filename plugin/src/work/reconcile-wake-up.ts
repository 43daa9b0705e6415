import { errorText } from "@headrace/shared/foundation/errors"
import { laneResult } from "@headrace/shared/lanes/lane-outcome"
import { saveOrphans } from "@headrace/shared/lanes/lane-outcomes"
import type { Lanes } from "@headrace/shared/lanes/open-lanes"
import { saveHoldUp } from "@headrace/shared/lanes/rollout-hold-up"
import { wakeAtHoldEnd } from "@headrace/shared/lanes/wake-at-hold-end"
import { wakeForRollout } from "@headrace/shared/lanes/wake-for-rollout"
import { wakeLanes } from "@headrace/shared/lanes/wake-lanes"
import type { LaneHandler, LaneWait } from "@headrace/shared/lanes/work-lane"
import type { Log } from "@headrace/shared/observe/log"
import { laneSpanId, rootSpanId, type Traces } from "@headrace/shared/observe/traces"
import type { ReconcileOutcome } from "@headrace/shared/reconcile/run/ports"
import { runSpans } from "@headrace/shared/reconcile/run/run-trace"
import type { PluginMetrics } from "../observe/plugin-metrics.ts"
import type { PluginReconciler } from "./plugin-reconciler.ts"

export interface ReconcileWakeUpPorts {
  reconciler: PluginReconciler
  lanes: Lanes
  metrics: PluginMetrics
  traces: Traces | undefined
  /** A run has ended, in whatever way. */
  onWorked?: (() => void) | undefined
  log: Log
}

/**
 * The handler of a cluster's lane: reconciles the wake-up's source, measured and logged, and wakes the lane again when
 * a hold ends.
 */
export function reconcileWakeUp(
  cluster: string,
  { reconciler, lanes, metrics, traces, onWorked, log }: ReconcileWakeUpPorts,
): LaneHandler {
  return async (wakeUp, signal, wait) => {
    async function scheduleHoldEnd({ heldUntil }: ReconcileOutcome): Promise<void> {
      const until = Date.parse(heldUntil ?? "")
      if (until > Date.now()) await wakeAtHoldEnd(lanes, cluster, wakeUp.source, until)
    }
    const { source, mode, reason } = wakeUp
    async function followRollout({ rollout, record }: ReconcileOutcome): Promise<void> {
      if (rollout === undefined) return
      if (record.candidate !== null) await saveHoldUp(lanes, cluster, source, rollout.holdUp)
      await wakeLanes(lanes, rollout.wakes, [source], { mode: "incremental", reason: "rollout" })
      if (rollout.lookAgain !== undefined) await wakeForRollout(lanes, cluster, source, rollout.lookAgain)
    }
    async function noteRecord({ record, orphans }: ReconcileOutcome): Promise<void> {
      if (orphans !== undefined) await saveOrphans(lanes, cluster, source, orphans)
      const behind = await reconciler.behind?.(source, record, signal)
      metrics.records.note({ cluster, source }, { record, behind, readAt: Date.now() })
    }
    const start = performance.now()
    try {
      const outcome = await reconciler.run(cluster, source, mode, signal)
      const milliseconds = performance.now() - start
      measure(metrics, cluster, source, outcome, milliseconds)
      await noteRecord(outcome).catch((error: unknown) => {
        log.debug({ cluster, source, err: errorText(error) }, "record not noted for the metrics")
      })
      const { result, commit, written, stages } = outcome
      const failed = outcome.failed.length
      log.info(
        { cluster, source, mode, reason, result, commit, written, failed, stages, milliseconds },
        "reconciled",
      )
      if (traces) traceWakeUp(traces, { cluster, source }, outcome, wait)
      await scheduleHoldEnd(outcome)
      await followRollout(outcome)
      return laneResult(outcome)
    } catch (error) {
      metrics.reconciles.inc({ cluster, source, result: signal.aborted ? "aborted" : "failed" })
      throw error
    } finally {
      onWorked?.()
    }
  }
}

/** The wait in the lane and the run, as spans of the commit that came of it. */
function traceWakeUp(
  traces: Traces,
  place: { cluster: string; source: string },
  { trace }: ReconcileOutcome,
  { queued, taken }: LaneWait,
): void {
  if (trace === undefined) return
  const { commit } = trace
  const id = laneSpanId(commit, place.cluster, place.source)
  const attributes = { "headrace.cluster": place.cluster, "headrace.source": place.source }
  const parent = rootSpanId(commit)
  traces.record({ name: "headrace.lane", commit, id, parent, start: queued, end: taken, attributes })
  for (const span of runSpans(place, trace, id)) traces.record(span)
}

function measure(
  metrics: PluginMetrics,
  cluster: string,
  source: string,
  outcome: ReconcileOutcome,
  milliseconds: number,
): void {
  metrics.reconciles.inc({ cluster, source, result: outcome.result })
  metrics.configMapWrites.inc({ cluster }, outcome.written)
  metrics.foreignWrites.inc({ cluster, source }, outcome.foreign.length)
  for (const [stage, time] of Object.entries({ ...outcome.stages, total: milliseconds })) {
    metrics.reconcileSeconds.observe({ cluster, stage }, time / 1000)
  }
}
