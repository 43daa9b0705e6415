import { createMetricFactory } from "@headrace/shared/observe/metric-definition"
import type { TargetSizes } from "@headrace/shared/reconcile/run/target-sizes"
import { Registry } from "prom-client"
import { createKnownRecords, type KnownRecords } from "./known-records.ts"
import { pluginMetricDefinitions } from "./plugin-metric-definitions.ts"

export type PluginMetrics = ReturnType<typeof createPluginMetrics>

/** Twice as long as a full run, which meets every target, takes to come again. */
const SIZE_KEPT_MS = 2 * 3_600_000

type Factory = ReturnType<typeof createMetricFactory<typeof pluginMetricDefinitions>>

export interface PluginMetricsSources {
  /** Sizes of named ConfigMaps, read at each scrape. */
  sizes?: Pick<TargetSizes, "all"> | undefined
  now?(): number
}

/** The plugin's metrics (plugin-metric-definitions.ts has their meaning), in a registry of their own. */
export function createPluginMetrics({ sizes, now = Date.now }: PluginMetricsSources = {}) {
  const registry = new Registry()
  const make = createMetricFactory(pluginMetricDefinitions, registry)
  const records = createKnownRecords()
  addRecordGauges(make, records, now)
  addRolloutGauges(make, records, now)
  make.gauge("headrace_configmap_size_bytes", (gauge) => {
    for (const { target, bytes, at } of sizes?.all() ?? []) {
      if (now() - at < SIZE_KEPT_MS) gauge.set({ ...target }, bytes)
    }
  })
  return {
    registry,
    records,
    deliveries: make.counter("headrace_webhook_deliveries_total"),
    answerSeconds: make.histogram("headrace_webhook_answer_seconds"),
    reconcileSeconds: make.histogram("headrace_reconcile_seconds"),
    reconciles: make.counter("headrace_reconciles_total"),
    configMapWrites: make.counter("headrace_configmap_writes_total"),
    objectRequests: make.counter("headrace_object_requests_total"),
    foreignWrites: make.counter("headrace_foreign_writes_total"),
    orphans: make.gauge("headrace_orphans"),
    sourceReadable: make.gauge("headrace_source_readable"),
    polls: make.counter("headrace_polls_total"),
    lastSuccess: make.gauge("headrace_lane_last_success_timestamp_seconds"),
    laneLate: make.gauge("headrace_lane_late"),
    wakeUps: make.gauge("headrace_lane_wake_ups"),
    redisTrouble: make.gauge("headrace_redis_trouble"),
    laneRepairs: make.counter("headrace_lane_repairs_total"),
    laneResumes: make.counter("headrace_lane_resumes_total"),
  }
}

function addRecordGauges(make: Factory, records: KnownRecords, now: () => number): void {
  make.gauge("headrace_held", (gauge) => {
    for (const { cluster, source, held } of records.readings(now())) {
      gauge.set({ cluster, source }, held ? 1 : 0)
    }
  })
  make.gauge("headrace_stopped", (gauge) => {
    for (const { cluster, source, stopped } of records.readings(now())) {
      if (stopped !== undefined) gauge.set({ cluster, source, code: stopped }, 1)
    }
  })
  make.gauge("headrace_failed_targets", (gauge) => {
    for (const { cluster, source, failed } of records.readings(now())) gauge.set({ cluster, source }, failed)
  })
  make.gauge("headrace_commits_behind", (gauge) => {
    for (const { cluster, source, behind } of records.readings(now())) {
      if (behind !== undefined) gauge.set({ cluster, source }, behind)
    }
  })
  make.gauge("headrace_record_read_timestamp_seconds", (gauge) => {
    for (const { cluster, source, readAt } of records.readings(now())) {
      gauge.set({ cluster, source }, readAt / 1000)
    }
  })
}

function addRolloutGauges(make: Factory, records: KnownRecords, now: () => number): void {
  make.gauge("headrace_rollout_stage", (gauge) => {
    for (const { cluster, source, rollout } of records.readings(now())) {
      if (rollout) gauge.set({ cluster, source }, rollout.stage)
    }
  })
  make.gauge("headrace_rollout_share", (gauge) => {
    for (const { cluster, source, rollout } of records.readings(now())) {
      if (rollout) gauge.set({ cluster, source }, rollout.share)
    }
  })
  make.gauge("headrace_rollout_stage_start_timestamp_seconds", (gauge) => {
    for (const { cluster, source, rollout } of records.readings(now())) {
      if (rollout) gauge.set({ cluster, source }, rollout.since / 1000)
    }
  })
  make.gauge("headrace_rollout_rejected", (gauge) => {
    for (const { cluster, source, rejected } of records.readings(now())) {
      if (rejected !== undefined) gauge.set({ cluster, source, code: rejected }, 1)
    }
  })
}
