import { setTimeout as delay } from "node:timers/promises"
import { errorText } from "@headrace/shared/foundation/errors"
import { scheduleTargetRetry } from "@headrace/shared/lanes/lane-retry"
import type { Lanes } from "@headrace/shared/lanes/open-lanes"
import { wakeLanes } from "@headrace/shared/lanes/wake-lanes"
import { LANES_FORMAT } from "@headrace/shared/lanes/wake-up"
import type { Log } from "@headrace/shared/observe/log"
import type { SourceRecord } from "@headrace/shared/record/record"
import type { KnownRecords, Place } from "../observe/known-records.ts"
import type { PluginReconciler } from "../work/plugin-reconciler.ts"

export interface WatchRecordsOptions {
  lanes: Lanes
  reconciler: Pick<PluginReconciler, "record" | "behind">
  clusters: readonly string[]
  sources: readonly string[]
  /** Receives each record for the metrics. */
  records: Pick<KnownRecords, "expect" | "note">
  /** Milliseconds between two reads of a record. */
  interval?: number
  log: Log
}

const INTERVAL_MS = 30_000

/**
 * Reads the record of every source in every cluster at the start and twice a minute: for the metrics, and to wake the
 * lane, for a full reconcile, of one that was put back from a backup: no webhook and no poll shows that, and nodes refuse
 * what it names. Has failed targets that it lists tried again where no retry waits. Ends with the signal.
 */
export async function watchRecords(options: WatchRecordsOptions, signal: AbortSignal): Promise<void> {
  const pairs = options.clusters.flatMap((cluster) => options.sources.map((source) => ({ cluster, source })))
  for (const pair of pairs) options.records.expect(pair)
  while (!signal.aborted) {
    // One cluster that does not answer must not keep the others from being read.
    await Promise.all(pairs.map((pair) => checkRecord(options, pair, signal)))
    if (signal.aborted) return
    await delay(options.interval ?? INTERVAL_MS, undefined, { signal }).catch(() => undefined)
  }
}

async function checkRecord(
  { lanes, reconciler, records, log }: WatchRecordsOptions,
  place: Place,
  signal: AbortSignal,
): Promise<void> {
  const { cluster, source } = place
  try {
    const found = await reconciler.record?.(cluster, source, signal)
    const record = found?.record
    const behind = record && (await reconciler.behind?.(source, record, signal))
    records.note(place, { record, behind, readAt: Date.now() })
    if (found === undefined) return
    if (!found.isPutBack) return await retryFailed(lanes, place, found.record)
    log.warn({ cluster, source }, "an earlier record was put back")
    await wakeLanes(lanes, [cluster], [source], { mode: "full", reason: "watchdog" })
  } catch (error) {
    if (!signal.aborted) log.warn({ cluster, source, err: errorText(error) }, "record not checked")
  }
}

/** No outcome of a lane had them where a run without lanes (`apply --direct`) did, or a record was put back at the same token. */
async function retryFailed(
  lanes: Lanes,
  { cluster, source }: Place,
  { failed }: Pick<SourceRecord, "failed">,
): Promise<void> {
  if (failed.length === 0 || lanes.trouble()) return
  const wakeUp = { format: LANES_FORMAT, source, mode: "incremental", reason: "retry" } as const
  await scheduleTargetRetry(lanes.queue(cluster), wakeUp, 1, failed)
}
