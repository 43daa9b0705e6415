import type { MetricDefinitions } from "@headrace/shared/observe/metric-definition"

const CLUSTER = "the cluster's name in the settings"
const SOURCE = "the source's name in the settings"
const PLACE = { cluster: CLUSTER, source: SOURCE } as const

/**
 * The plugin's own metrics. Gauges of what clusters show are read from records and from Redis, by every replica alike: one
 * whose lanes are worked by another shows the same. Counters and histograms are of this replica alone: sum them.
 */
export const pluginMetricDefinitions = {
  headrace_webhook_deliveries_total: {
    type: "counter",
    unit: "deliveries",
    help: "Webhook deliveries by event and what became of them.",
    labels: {
      event: "GitHub's event, `unverified`, or `other`",
      result:
        "`accepted`, `duplicate`, `ignored`, `unconfigured` (no source of ours), `ping`, `refused` (signature or form) or `not-enqueued` (answered 503)",
    },
  },
  headrace_webhook_answer_seconds: {
    type: "histogram",
    unit: "seconds",
    help: "From a delivery's headers to its answer.",
    labels: {},
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
  },
  headrace_reconcile_seconds: {
    type: "histogram",
    unit: "seconds",
    help: "Time of a reconcile, whole (stage total) and by stage.",
    labels: { cluster: CLUSTER, stage: "`fetch`, `plan`, `store`, `view`, `record` or `total`" },
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
  },
  headrace_reconciles_total: {
    type: "counter",
    unit: "reconciles",
    help: "Reconciles by result.",
    labels: { ...PLACE, result: "`applied`, `noop`, `stopped`, `superseded`, `failed` or `aborted`" },
  },
  headrace_configmap_writes_total: {
    type: "counter",
    unit: "objects",
    help: "Objects created or replaced by reconciles, records not counted.",
    labels: { cluster: CLUSTER },
  },
  headrace_configmap_size_bytes: {
    type: "gauge",
    unit: "bytes",
    help: "Size of a named ConfigMap's values, of 1048576 that fit, as this replica read or wrote it within the last two hours.",
    labels: { cluster: CLUSTER, namespace: "the ConfigMap's namespace", name: "the ConfigMap's name" },
  },
  headrace_object_requests_total: {
    type: "counter",
    unit: "requests",
    help: "Requests to the port of `--objects-listen`, by their answer.",
    labels: {
      answer: "`served`, `unchanged` (304), `absent` (404), `refused` (401, 405) or `failed` (503)",
    },
  },
  headrace_foreign_writes_total: {
    type: "counter",
    unit: "writes",
    help: "Writes of other programs to our targets, found and repaired.",
    labels: PLACE,
  },
  headrace_held: {
    type: "gauge",
    unit: "1 or 0",
    help: "1 while an operator's hold keeps a cluster at a commit.",
    labels: PLACE,
  },
  headrace_stopped: {
    type: "gauge",
    unit: "1",
    help: "1 while a source is stopped in a cluster and its last good content stays; no series otherwise.",
    labels: { ...PLACE, code: "the reason, one of the [error codes](errors.md)" },
  },
  headrace_failed_targets: {
    type: "gauge",
    unit: "targets",
    help: "Targets that hold their last good content because they cannot be written.",
    labels: PLACE,
  },
  headrace_rollout_stage: {
    type: "gauge",
    unit: "stage",
    help: "The stage, from 1, of the rollout under way in a cluster; no series otherwise.",
    labels: PLACE,
  },
  headrace_rollout_share: {
    type: "gauge",
    unit: "share, from 0 to 1",
    help: "The share of a cluster's nodes that the rollout under way is for; nodes that it selects by labels come on top. No series otherwise.",
    labels: PLACE,
  },
  headrace_rollout_stage_start_timestamp_seconds: {
    type: "gauge",
    unit: "Unix time in seconds",
    help: "Since when the stage of the rollout under way is open; no series otherwise.",
    labels: PLACE,
  },
  headrace_rollout_rejected: {
    type: "gauge",
    unit: "1",
    help: "1 from when a rollout has returned from a commit until the next one is in force, or an operator lifts it; no series otherwise.",
    labels: { ...PLACE, code: "what failed, one of the [error codes](errors.md)" },
  },
  headrace_commits_behind: {
    type: "gauge",
    unit: "commits",
    help: "Commits of the branch that a cluster's record does not show, also while it is held or stopped; 1 when the count is not known or the branch was rewritten.",
    labels: PLACE,
  },
  headrace_record_read_timestamp_seconds: {
    type: "gauge",
    unit: "Unix time in seconds",
    help: "When this replica last read the record of a source in a cluster, which it does twice a minute: the age of the gauges above. 0: not yet.",
    labels: PLACE,
  },
  headrace_orphans: {
    type: "gauge",
    unit: "ConfigMaps",
    help: "ConfigMaps of ours that no rule names any more, as the last full run found them; they keep what they hold.",
    labels: PLACE,
  },
  headrace_source_readable: {
    type: "gauge",
    unit: "1 or 0",
    help: "1 when the last poll of a source read its branch from the git server.",
    labels: { source: SOURCE },
  },
  headrace_polls_total: {
    type: "counter",
    unit: "polls",
    help: "Polls of a source's branch.",
    labels: {
      source: SOURCE,
      result: "`same`, `moved`, `behind` (a cluster does not show the tip) or `failed`",
    },
  },
  headrace_lane_last_success_timestamp_seconds: {
    type: "gauge",
    unit: "Unix time in seconds",
    help: "When a lane last brought a source to its goal, by whichever worker.",
    labels: PLACE,
  },
  headrace_lane_late: {
    type: "gauge",
    unit: "1 or 0",
    help: "1 when a lane's last success with a source is older than an hourly run allows, or there was none.",
    labels: PLACE,
  },
  headrace_lane_wake_ups: {
    type: "gauge",
    unit: "wake-ups",
    help: "Wake-ups in a lane's queue by state; no series while Redis cannot be used.",
    labels: { cluster: CLUSTER, state: "`wait`, `active` or `delayed` (a retry, or the end of a hold)" },
  },
  headrace_redis_trouble: {
    type: "gauge",
    unit: "1",
    help: "1 while Redis cannot be used, by the code of the reason; no series while it can.",
    labels: { code: "the reason, one of the [error codes](errors.md#lanes)" },
  },
  headrace_lane_repairs_total: {
    type: "counter",
    unit: "repairs",
    help: "How often this replica repaired a lane of which Redis had lost a part.",
    labels: { cluster: CLUSTER },
  },
  headrace_lane_resumes_total: {
    type: "counter",
    unit: "times",
    help: "How often this replica resumed a lane that another program had paused, or kept from being worked.",
    labels: { cluster: CLUSTER },
  },
} as const satisfies MetricDefinitions
