import type { MetricDefinitions } from "@headrace/shared/observe/metric-definition"

const PROJECTION = {
  projection: "the projection's name, or NAMESPACE/NAME of a target under `everyTarget`",
} as const
const CHECK = { ...PROJECTION, check: "its way and its place in `after`, such as `http[0]`" } as const
const KIND = { kind: "`shard` or `index`" } as const

/** The agent's own metrics: of this node alone. */
export const agentMetricDefinitions = {
  headrace_propagation_seconds: {
    type: "histogram",
    unit: "seconds",
    help: "From a commit (git's committer time, in whole seconds) to its durable publish on this node, of commits that are newer than what this process has shown. A hold, a stop and an outage count.",
    labels: {},
    buckets: [0.25, 0.5, 1, 2, 3, 5, 10, 20, 30, 60, 120, 300, 900, 3600],
  },
  headrace_agent_publish_seconds: {
    type: "histogram",
    unit: "seconds",
    help: "Time from an assembled revision to its durable publish.",
    labels: PROJECTION,
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  },
  headrace_agent_published_files_total: {
    type: "counter",
    unit: "files",
    help: "Files of published revisions, by how they came about.",
    labels: { how: "`written`, or `linked` from the revision before" },
  },
  headrace_agent_fetched_objects_total: {
    type: "counter",
    unit: "objects",
    help: "Store objects read from the API server.",
    labels: KIND,
  },
  headrace_agent_fetched_bytes_total: {
    type: "counter",
    unit: "bytes",
    help: "Bytes of store objects read from the API server, as sent (base64).",
    labels: KIND,
  },
  headrace_agent_cache_reads_total: {
    type: "counter",
    unit: "reads",
    help: "Questions to the caches of `objects`, by their answer.",
    labels: {
      answer: "`hit`, `miss`, or `failed`: no answer in time, or one that is not what its digest says",
    },
  },
  headrace_agent_failures_total: {
    type: "counter",
    unit: "attempts",
    help: "Attempts to show a revision that failed, by error code.",
    labels: { ...PROJECTION, code: "one of the [error codes](errors.md)" },
  },
  headrace_agent_reports_total: {
    type: "counter",
    unit: "writes",
    help: "Writes of this node's Lease.",
    labels: {},
  },
  headrace_agent_record_seq: {
    type: "gauge",
    unit: "commits",
    help: "The seq (count of ancestors) in the newest record read.",
    labels: {},
  },
  headrace_agent_shown_seq: {
    type: "gauge",
    unit: "commits",
    help: "The seq (count of ancestors, or of changes) of the revision that a projection shows.",
    labels: PROJECTION,
  },
  headrace_agent_shown_timestamp_seconds: {
    type: "gauge",
    unit: "Unix time in seconds",
    help: "Since when a projection shows its revision, as far as this process knows.",
    labels: PROJECTION,
  },
  headrace_agent_record_lag: {
    type: "gauge",
    unit: "commits",
    help: "Commits (seq) that a projection is behind the newest record read.",
    labels: PROJECTION,
  },
  headrace_agent_projection_ready: {
    type: "gauge",
    unit: "1 or 0",
    help: "1 when a projection shows the newest revision offered to it, otherwise 0.",
    labels: PROJECTION,
  },
  headrace_agent_projection_problem: {
    type: "gauge",
    unit: "1",
    help: "1 while something keeps a projection from showing what it is offered; no series otherwise.",
    labels: { ...PROJECTION, code: "one of the [error codes](errors.md)" },
  },
  headrace_agent_check_passing: {
    type: "gauge",
    unit: "1 or 0",
    help: "1 when a check of what a projection shows passes, 0 when it fails; no series before its first answer for this revision.",
    labels: CHECK,
  },
  headrace_agent_checks_total: {
    type: "counter",
    unit: "runs",
    help: "Runs of checks of what projections show, by what they found.",
    labels: { ...CHECK, outcome: "`passed`, `failed`, or `silent`: no answer for this revision" },
  },
  headrace_agent_candidate: {
    type: "gauge",
    unit: "1",
    help: "1 while a projection shows a candidate of a rollout; no series otherwise.",
    labels: PROJECTION,
  },
  headrace_agent_unnotified_consumers: {
    type: "gauge",
    unit: "consumers",
    help: "Consumers of a projection that were not yet notified of what it shows: more than 0 for long means a hook that fails.",
    labels: PROJECTION,
  },
  headrace_agent_confined: {
    type: "gauge",
    unit: "1 or 0",
    help: "1 while Landlock keeps this process from writing elsewhere than its settings name, otherwise 0.",
    labels: {},
  },
  headrace_agent_watch_age_seconds: {
    type: "gauge",
    unit: "seconds",
    help: "Time since the API server was last heard from (an event, a bookmark, a list), of the watch that is silent for longest.",
    labels: {},
  },
} as const satisfies MetricDefinitions
