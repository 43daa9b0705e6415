import { type Backoff, backoffDelay } from "@headrace/shared/foundation/backoff"
import type { Clock } from "@headrace/shared/foundation/clock"
import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import { errorText } from "@headrace/shared/foundation/errors"
import type { ConfigMapReader } from "@headrace/shared/kube/config-map-api"
import type { Log } from "@headrace/shared/observe/log"
import type { Record } from "@headrace/shared/record/record"
import { readRecord } from "@headrace/shared/record/record-config-map"
import type { WatchStatus } from "./watch-status.ts"

const RETRY: Backoff = { first: 100, limit: 3_000 }

export interface WatchRecordOptions {
  reader: ConfigMapReader
  namespace: string
  name: string
  clock: Clock
  log: Log
  /** Kept up to date. */
  status: WatchStatus
  onRecord(record: Record): void
}

/**
 * Gives each record as it is swapped, until the signal aborts. One watch on one name. What cannot be read
 * (no API server, no record, a newer format) is said in the status, and nothing else happens.
 */
export async function watchRecord(options: WatchRecordOptions, signal: AbortSignal): Promise<void> {
  const { reader, namespace, clock, log, status } = options
  const fieldSelector = `metadata.name=${options.name}`
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    try {
      const { items, resourceVersion } = await reader.list(namespace, { fieldSelector }, signal)
      attempt = 0
      take(items[0])
      for await (const event of reader.watch(namespace, { fieldSelector, resourceVersion }, signal)) {
        status.heard = clock.now()
        if (event.type !== "bookmark") take(event.type === "deleted" ? undefined : event.object)
      }
    } catch (error) {
      if (signal.aborted) return
      status.problem = errorText(error)
      log.warn({ error: status.problem, attempt }, "cannot watch the record")
      await clock.sleep(backoffDelay(RETRY, attempt), signal).catch(() => undefined)
    }
  }

  function take(object: ConfigMap | undefined): void {
    status.heard = clock.now()
    status.problem = undefined
    const record = parse(object)
    if (typeof record !== "string") {
      status.record = undefined
      options.onRecord(record)
      return
    }
    if (status.record !== record) log.warn({ error: record }, "no record to show; last good stays")
    status.record = record
  }

  function parse(object: ConfigMap | undefined): Record | string {
    if (object === undefined) return `there is no record ${namespace}/${options.name}`
    try {
      return readRecord(object)
    } catch (error) {
      return errorText(error)
    }
  }
}
