import type { ErrorCode } from "@headrace/shared/foundation/errors"
import { createMetricFactory } from "@headrace/shared/observe/metric-definition"
import { Registry } from "prom-client"
import type { CacheAnswer } from "../assemble/object-caches.ts"
import type { CheckResult } from "../health/run-check.ts"
import type { PublishResult } from "../publish/publish-revision.ts"
import { silentSince, type WatchStatus } from "../watch/watch-status.ts"
import { agentMetricDefinitions } from "./agent-metric-definitions.ts"
import type { ProjectionStatus } from "./projection-status.ts"

/** What happened, to be counted. */
export interface AgentMetrics {
  registry: Registry
  published(projection: string, result: PublishResult): void
  /** Called with the time from a commit to its publish, in milliseconds. */
  propagated(milliseconds: number): void
  fetched(kind: "shard" | "index", bytes: number): void
  /** Called with each answer of an object cache. */
  askedCache(answer: CacheAnswer): void
  failed(projection: string, code: ErrorCode): void
  /** Called with each run of a check of what is shown. */
  checked(projection: string, check: string, result: CheckResult): void
  reported(): void
}

/** What is true now, read at each scrape. */
export interface AgentState {
  projections(): readonly ProjectionStatus[]
  watch(): WatchStatus
  /** Of the newest record; undefined before the first was read. */
  recordSeq(): number | undefined
  /** Whether the kernel confines what this process writes. */
  isConfined(): boolean
  now(): number
}

type Factory = ReturnType<typeof createMetricFactory<typeof agentMetricDefinitions>>

/** The agent's metrics; agent-metric-definitions.ts has their meaning. */
export function createAgentMetrics(state: AgentState): AgentMetrics {
  const registry = new Registry()
  const make = createMetricFactory(agentMetricDefinitions, registry)
  addStateMetrics(make, state)
  addShownMetrics(make, state)
  const propagationSeconds = make.histogram("headrace_propagation_seconds")
  const publishSeconds = make.histogram("headrace_agent_publish_seconds")
  const files = make.counter("headrace_agent_published_files_total")
  const fetches = make.counter("headrace_agent_fetched_objects_total")
  const bytes = make.counter("headrace_agent_fetched_bytes_total")
  const cacheReads = make.counter("headrace_agent_cache_reads_total")
  const failures = make.counter("headrace_agent_failures_total")
  const reports = make.counter("headrace_agent_reports_total")
  const checks = make.counter("headrace_agent_checks_total")
  return {
    registry,
    published(projection, result) {
      publishSeconds.observe({ projection }, result.milliseconds / 1000)
      files.inc({ how: "written" }, result.filesWritten)
      files.inc({ how: "linked" }, result.filesLinked)
    },
    propagated: (milliseconds) => propagationSeconds.observe(milliseconds / 1000),
    fetched(kind, size) {
      fetches.inc({ kind })
      bytes.inc({ kind }, size)
    },
    askedCache: (answer) => cacheReads.inc({ answer }),
    reported: () => reports.inc(),
    checked: (projection, check, { outcome }) => checks.inc({ projection, check, outcome }),
    failed: (projection, code) => failures.inc({ projection, code }),
  }
}

function addStateMetrics(make: Factory, state: AgentState): void {
  make.gauge("headrace_agent_projection_ready", (gauge) => {
    for (const { name, current } of state.projections()) gauge.set({ projection: name }, current ? 1 : 0)
  })
  make.gauge("headrace_agent_projection_problem", (gauge) => {
    for (const { name, problem } of state.projections()) {
      if (problem !== undefined) gauge.set({ projection: name, code: problem.code }, 1)
    }
  })
  make.gauge("headrace_agent_check_passing", (gauge) => {
    for (const { name, health } of state.projections()) {
      for (const [check, passes] of health?.passes ?? [])
        gauge.set({ projection: name, check }, passes ? 1 : 0)
    }
  })
  make.gauge("headrace_agent_candidate", (gauge) => {
    for (const { name, isCandidate } of state.projections()) {
      if (isCandidate) gauge.set({ projection: name }, 1)
    }
  })
  make.gauge("headrace_agent_unnotified_consumers", (gauge) => {
    for (const { name, unnotified } of state.projections()) {
      if (unnotified !== undefined) gauge.set({ projection: name }, unnotified)
    }
  })
  make.gauge("headrace_agent_watch_age_seconds", (gauge) => {
    const since = silentSince(state.watch())
    if (since !== undefined) gauge.set((state.now() - since) / 1000)
  })
}

function addShownMetrics(make: Factory, state: AgentState): void {
  make.gauge("headrace_agent_confined", (gauge) => gauge.set(state.isConfined() ? 1 : 0))
  make.gauge("headrace_agent_record_seq", (gauge) => {
    const seq = state.recordSeq()
    if (seq !== undefined) gauge.set(seq)
  })
  make.gauge("headrace_agent_shown_seq", (gauge) => {
    for (const { name, shown } of state.projections()) {
      if (shown) gauge.set({ projection: name }, shown.token.seq)
    }
  })
  make.gauge("headrace_agent_shown_timestamp_seconds", (gauge) => {
    for (const { name, shown } of state.projections()) {
      if (shown) gauge.set({ projection: name }, Date.parse(shown.since) / 1000)
    }
  })
  make.gauge("headrace_agent_record_lag", (gauge) => {
    const seq = state.recordSeq()
    for (const { name, shown, ofRecord } of state.projections()) {
      if (seq !== undefined && shown && ofRecord) gauge.set({ projection: name }, seq - shown.token.seq)
    }
  })
}
