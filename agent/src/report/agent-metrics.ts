import type { ErrorCode } from "@headrace/shared/foundation/errors"
import { Counter, Gauge, Histogram, Registry } from "prom-client"
import type { PublishResult } from "../publish/publish-revision.ts"
import { silentSince, type WatchStatus } from "../watch/watch-status.ts"
import type { ProjectionStatus } from "./projection-status.ts"

const PUBLISH_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** What happened, to be counted. */
export interface AgentMetrics {
  registry: Registry
  published(projection: string, result: PublishResult): void
  fetched(kind: "shard" | "index", bytes: number): void
  failed(projection: string, code: ErrorCode): void
  reported(): void
}

/** What is true now, asked at each scrape. */
export interface AgentState {
  projections(): readonly ProjectionStatus[]
  watch(): WatchStatus
  /** Of the newest record; undefined before the first was read. */
  recordSeq(): number | undefined
  now(): number
}

export function createAgentMetrics(state: AgentState): AgentMetrics {
  const registry = new Registry()
  addStateMetrics(registry, state)
  const registers = [registry]
  const publishSeconds = new Histogram({
    name: "headrace_agent_publish_seconds",
    help: "Time from an assembled revision to its durable publish.",
    labelNames: ["projection"],
    buckets: PUBLISH_BUCKETS,
    registers,
  })
  const files = new Counter({
    name: "headrace_agent_published_files_total",
    help: "Files of published revisions, by how they came about (written, linked).",
    labelNames: ["how"],
    registers,
  })
  const fetches = new Counter({
    name: "headrace_agent_fetched_objects_total",
    help: "Store objects read from the API server.",
    labelNames: ["kind"],
    registers,
  })
  const bytes = new Counter({
    name: "headrace_agent_fetched_bytes_total",
    help: "Bytes of store objects read from the API server, as sent (base64).",
    labelNames: ["kind"],
    registers,
  })
  const failures = new Counter({
    name: "headrace_agent_failures_total",
    help: "Attempts to show a revision that failed, by error code.",
    labelNames: ["projection", "code"],
    registers,
  })
  const reports = new Counter({
    name: "headrace_agent_reports_total",
    help: "Writes of this node's Lease.",
    registers,
  })
  return {
    registry,
    published(projection, result) {
      publishSeconds.observe({ projection }, result.milliseconds / 1000)
      files.inc({ how: "written" }, result.filesWritten)
      files.inc({ how: "linked" }, result.filesLinked)
    },
    fetched(kind, size) {
      fetches.inc({ kind })
      bytes.inc({ kind }, size)
    },
    reported: () => reports.inc(),
    failed: (projection, code) => failures.inc({ projection, code }),
  }
}

function addStateMetrics(registry: Registry, state: AgentState): void {
  const registers = [registry]
  new Gauge({
    name: "headrace_agent_revision_info",
    help: "The revision that a projection shows; 1.",
    labelNames: ["projection", "revision"],
    registers,
    collect() {
      this.reset()
      for (const { name, shown } of state.projections()) {
        if (shown) this.set({ projection: name, revision: shown.id }, 1)
      }
    },
  })
  new Gauge({
    name: "headrace_agent_record_lag",
    help: "Commits (seq) that a projection is behind the newest record read.",
    labelNames: ["projection"],
    registers,
    collect() {
      this.reset()
      const seq = state.recordSeq()
      for (const { name, shown, ofRecord } of state.projections()) {
        if (seq !== undefined && shown && ofRecord) this.set({ projection: name }, seq - shown.token.seq)
      }
    },
  })
  new Gauge({
    name: "headrace_agent_projection_ready",
    help: "1 when a projection shows the newest revision offered to it, else 0.",
    labelNames: ["projection"],
    registers,
    collect() {
      this.reset()
      for (const { name, current } of state.projections()) this.set({ projection: name }, current ? 1 : 0)
    },
  })
  new Gauge({
    name: "headrace_agent_watch_age_seconds",
    help: "Time since the API server was last heard from (an event, a bookmark, a list), of the watch that is silent for longest.",
    registers,
    collect() {
      const since = silentSince(state.watch())
      if (since !== undefined) this.set((state.now() - since) / 1000)
    },
  })
}
