import { readdirSync, readFileSync } from "node:fs"
import { type Gauge, Registry } from "prom-client"
import { boundBreaches } from "./bound-breaches.ts"
import { createMetricFactory, type MetricDefinitions } from "./metric-definition.ts"

/** What every program that serves `/metrics` has, by the names of prom-client and of Prometheus' other clients. */
export const processMetricDefinitions = {
  headrace_build_info: {
    type: "gauge",
    unit: "1",
    help: "Always 1; its labels name what runs.",
    labels: {
      program: "`headrace-plugin` or `headrace-agent`",
      version: "Headrace's version",
      node: "the version of Node",
    },
  },
  headrace_settings_rejected: {
    type: "gauge",
    unit: "1 or 0",
    help: "1 while the settings file has been changed to something that does not read or does not start: the last good settings are in force.",
    labels: {},
  },
  headrace_bound_breaches_total: {
    type: "counter",
    unit: "breaches",
    help: "How often something met one of the [bounds](bounds.md).",
    labels: {
      bound: "the setting's name under `bounds`",
      culprit:
        "what met it, as the settings name it: `source NAME`, `cluster NAME`, `origin NAME` (of an agent), `api-server` (an agent's), `redis`, `github`, `port`",
    },
  },
  process_cpu_seconds_total: {
    type: "counter",
    unit: "seconds",
    help: "Processor time of the process, user and system.",
    labels: {},
  },
  process_resident_memory_bytes: {
    type: "gauge",
    unit: "bytes",
    help: "Resident memory of the process.",
    labels: {},
  },
  process_start_time_seconds: {
    type: "gauge",
    unit: "Unix time in seconds",
    help: "When the process began.",
    labels: {},
  },
  process_open_fds: {
    type: "gauge",
    unit: "file descriptors",
    help: "Open file descriptors; Linux only.",
    labels: {},
  },
  process_max_fds: {
    type: "gauge",
    unit: "file descriptors",
    help: "How many file descriptors the process may have open; Linux only.",
    labels: {},
  },
  nodejs_heap_size_used_bytes: {
    type: "gauge",
    unit: "bytes",
    help: "Memory of JavaScript objects.",
    labels: {},
  },
} as const satisfies MetricDefinitions

/** Metrics of the process itself: they outlive a change of its settings. */
export interface ProcessMetrics {
  registry: Registry
  /** Called with true when changed settings were rejected, with false when the settings in force are the file's. */
  settingsRejected(rejected: boolean): void
}

export interface ProcessMetricsOptions {
  program: string
  version: string
}

/**
 * Own readings instead of prom-client's collectDefaultMetrics, which also starts a monitor of the event loop that wakes
 * the process a hundred times a second and an observer of every garbage collection: too much for an idle agent.
 */
export function createProcessMetrics({ program, version }: ProcessMetricsOptions): ProcessMetrics {
  const registry = new Registry()
  const metrics = createMetricFactory(processMetricDefinitions, registry)
  const node = process.version.slice(1)
  metrics.gauge("headrace_build_info").set({ program, version, node }, 1)
  const rejected = metrics.gauge("headrace_settings_rejected")
  metrics.counter("headrace_bound_breaches_total", (counter) => {
    for (const { bound, culprit, count } of boundBreaches()) counter.inc({ bound, culprit }, count)
  })
  metrics.gauge("process_start_time_seconds").set(Date.now() / 1000 - process.uptime())
  metrics.counter("process_cpu_seconds_total", (counter) => counter.inc(cpuSeconds()))
  metrics.gauge("process_resident_memory_bytes", (gauge) => gauge.set(process.memoryUsage.rss()))
  metrics.gauge("nodejs_heap_size_used_bytes", (gauge) => gauge.set(process.memoryUsage().heapUsed))
  metrics.gauge("process_open_fds", (gauge) => setKnown(gauge, openFiles()))
  metrics.gauge("process_max_fds", (gauge) => setKnown(gauge, mostFiles()))
  return { registry, settingsRejected: (isRejected) => rejected.set(isRejected ? 1 : 0) }
}

function setKnown(gauge: Gauge, value: number | undefined): void {
  if (value !== undefined) gauge.set(value)
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** Undefined where there is no /proc. */
function openFiles(): number | undefined {
  try {
    // The folder itself is open while it is read.
    return readdirSync("/proc/self/fd").length - 1
  } catch {
    return undefined
  }
}

/** The soft limit: proc_pid_limits(5). */
function mostFiles(): number | undefined {
  try {
    const limits = readFileSync("/proc/self/limits", "utf8")
    const soft = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1])
    return Number.isNaN(soft) ? undefined : soft
  } catch {
    return undefined
  }
}
