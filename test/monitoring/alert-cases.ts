/** Series of one case, as promtool's `input_series` has them: a value a minute. */
export interface AlertCase {
  alert: string
  /** Series at which it fires after `minutes`, and how its labels and templates come out. */
  fires: readonly string[]
  minutes: number
  labels: Readonly<Record<string, string>>
  /** As the annotations show the value. */
  value?: string
  /** Series at which it never fires. */
  quiet: readonly string[]
}

const PLACE = 'cluster="build01",source="release"'
const PLACE_LABELS = { cluster: "build01", source: "release" }
const NODE = 'instance="node1",projection="jobs"'
const NODE_LABELS = { instance: "node1", projection: "jobs" }
const READ = "headrace_record_read_timestamp_seconds"

/** Promtool's time begins at 0, so a timestamp that grows by 60 a minute is always now. */
export const ALERT_CASES: readonly AlertCase[] = [
  {
    alert: "HeadracePluginAbsent",
    fires: ['headrace_build_info{program="headrace-agent"} 1+0x60'],
    minutes: 6,
    labels: { program: "headrace-plugin" },
    quiet: ['headrace_build_info{program="headrace-plugin"} 1+0x60'],
  },
  {
    alert: "HeadraceRedisTrouble",
    fires: ['headrace_redis_trouble{code="lanes/redis-rights",instance="a"} 1+0x60'],
    minutes: 3,
    labels: { code: "lanes/redis-rights" },
    // For a minute: a restart of Redis.
    quiet: ['headrace_redis_trouble{code="lanes/redis-unavailable"} 1 stale'],
  },
  {
    alert: "HeadraceGuardStopped",
    fires: ["a", "b"].map(
      (replica) => `headrace_stopped{${PLACE},code="guard/deleted-keys",instance="${replica}"} 1+0x60`,
    ),
    minutes: 2,
    labels: { ...PLACE_LABELS, code: "guard/deleted-keys" },
    quiet: [`headrace_stopped{${PLACE},code="rules/invalid"} 1+0x60`],
  },
  {
    alert: "HeadraceSourceStopped",
    fires: [`headrace_stopped{${PLACE},code="rules/invalid"} 1+0x60`],
    minutes: 6,
    labels: { ...PLACE_LABELS, code: "rules/invalid" },
    quiet: [`headrace_stopped{${PLACE},code="guard/deleted-keys"} 1+0x60`],
  },
  {
    alert: "HeadraceClusterUnreadable",
    fires: [`${READ}{${PLACE},instance="a"} 0+0x60`],
    minutes: 12,
    labels: PLACE_LABELS,
    // One replica reads it.
    quiet: [`${READ}{${PLACE},instance="a"} 0+0x60`, `${READ}{${PLACE},instance="b"} 0+60x60`],
  },
  {
    alert: "HeadraceSourceUnreadable",
    fires: ['headrace_source_readable{source="release"} 0+0x60'],
    minutes: 16,
    labels: { source: "release" },
    quiet: ["a", "b"].map(
      (replica) =>
        `headrace_source_readable{source="release",instance="${replica}"} ${replica === "a" ? 0 : 1}+0x60`,
    ),
  },
  {
    alert: "HeadraceClusterBehind",
    fires: [`headrace_commits_behind{${PLACE}} 7+0x60`, `headrace_held{${PLACE}} 0+0x60`],
    minutes: 11,
    labels: PLACE_LABELS,
    value: "7",
    quiet: [
      `headrace_commits_behind{${PLACE}} 7+0x60`,
      `headrace_held{${PLACE}} 1+0x60`,
      `headrace_commits_behind{cluster="stopped",source="release"} 7+0x60`,
      `headrace_stopped{cluster="stopped",source="release",code="rules/invalid"} 1+0x60`,
      `headrace_commits_behind{cluster="current",source="release"} 0+0x60`,
      // Its turn comes after the stages before.
      `headrace_commits_behind{cluster="later",source="staged"} 7+0x60`,
      `headrace_rollout_stage{cluster="first",source="staged"} 1+0x60`,
    ],
  },
  {
    alert: "HeadraceRolloutReturned",
    fires: [`headrace_rollout_rejected{${PLACE},code="rollout/node-failed"} 1+0x60`],
    minutes: 1,
    labels: { ...PLACE_LABELS, code: "rollout/node-failed" },
    quiet: [`headrace_rollout_stage{${PLACE}} 1+0x60`],
  },
  {
    alert: "HeadraceRolloutStuck",
    fires: [`headrace_rollout_stage_start_timestamp_seconds{${PLACE}} 0+0x420`],
    minutes: 420,
    labels: PLACE_LABELS,
    value: "7h 0m 0s",
    quiet: [`headrace_rollout_stage{${PLACE}} 1+0x420`],
  },
  {
    alert: "HeadraceLaneLate",
    fires: [`headrace_lane_late{${PLACE}} 1+0x60`],
    minutes: 16,
    labels: PLACE_LABELS,
    quiet: [`headrace_lane_late{${PLACE}} 0+0x60`],
  },
  {
    alert: "HeadraceTargetsFailed",
    fires: [`headrace_failed_targets{${PLACE}} 2+0x60`],
    minutes: 16,
    labels: PLACE_LABELS,
    value: "2",
    quiet: [`headrace_failed_targets{${PLACE}} 2+0x10 0+0x50`],
  },
  {
    alert: "HeadraceWebhooksNotTaken",
    fires: ['headrace_webhook_deliveries_total{event="push",result="not-enqueued"} 0+0x5 3+0x60'],
    minutes: 8,
    labels: {},
    quiet: ['headrace_webhook_deliveries_total{event="push",result="accepted"} 0+5x60'],
  },
  {
    alert: "HeadraceConfigMapAlmostFull",
    fires: ['headrace_configmap_size_bytes{cluster="build01",namespace="ci",name="jobs"} 1000000+0x60'],
    minutes: 16,
    labels: { cluster: "build01", namespace: "ci", name: "jobs" },
    quiet: ['headrace_configmap_size_bytes{cluster="build01",namespace="ci",name="jobs"} 900000+0x60'],
  },
  {
    alert: "HeadraceForeignWrites",
    fires: [`headrace_foreign_writes_total{${PLACE}} 0+0x5 1+0x60`],
    minutes: 8,
    labels: PLACE_LABELS,
    quiet: [`headrace_foreign_writes_total{${PLACE}} 4+0x60`],
  },
  {
    alert: "HeadraceHeldLong",
    fires: [`headrace_held{${PLACE}} 1+0x1600`],
    minutes: 1500,
    labels: PLACE_LABELS,
    quiet: [`headrace_held{${PLACE}} 1+0x1200 0+0x400`],
  },
  {
    alert: "HeadraceOrphans",
    fires: [`headrace_orphans{${PLACE}} 3+0x1600`],
    minutes: 1500,
    labels: PLACE_LABELS,
    value: "3",
    quiet: [`headrace_orphans{${PLACE}} 0+0x1600`],
  },
  {
    alert: "HeadraceNodeBehind",
    fires: [`headrace_agent_record_lag{${NODE}} 4+0x60`],
    minutes: 11,
    labels: NODE_LABELS,
    value: "4",
    quiet: [`headrace_agent_record_lag{${NODE}} 0+0x60`],
  },
  {
    alert: "HeadraceProjectionNotReady",
    fires: [
      `headrace_agent_projection_ready{${NODE}} 0+0x60`,
      `headrace_agent_projection_problem{${NODE},code="projection/blocked"} 1+0x60`,
    ],
    minutes: 11,
    labels: NODE_LABELS,
    quiet: [
      `headrace_agent_projection_ready{${NODE}} 0+0x60`,
      `headrace_agent_projection_problem{${NODE},code="publish/pinned"} 1+0x60`,
    ],
  },
  {
    alert: "HeadraceCheckFailing",
    fires: [`headrace_agent_check_passing{${NODE},check="http[0]"} 0+0x60`],
    minutes: 6,
    labels: { ...NODE_LABELS, check: "http[0]" },
    // Of a candidate: the rollout returns.
    quiet: [
      `headrace_agent_check_passing{${NODE},check="http[0]"} 0+0x60`,
      `headrace_agent_candidate{${NODE}} 1+0x60`,
    ],
  },
  {
    alert: "HeadraceAgentDeaf",
    fires: ['headrace_agent_watch_age_seconds{instance="node1"} 660+0x60'],
    minutes: 6,
    labels: { instance: "node1" },
    value: "11m 0s",
    quiet: ['headrace_agent_watch_age_seconds{instance="node1"} 60+0x60'],
  },
  {
    alert: "HeadraceConsumerNotNotified",
    fires: [`headrace_agent_unnotified_consumers{${NODE}} 1+0x60`],
    minutes: 11,
    labels: NODE_LABELS,
    quiet: [`headrace_agent_unnotified_consumers{${NODE}} 1 0 1 0+0x60`],
  },
  {
    alert: "HeadracePropagationSlow",
    fires: [
      'headrace_propagation_seconds_bucket{le="60",instance="node1"} 0+0x60',
      'headrace_propagation_seconds_bucket{le="120",instance="node1"} 0+1x60',
      'headrace_propagation_seconds_bucket{le="+Inf",instance="node1"} 0+1x60',
    ],
    minutes: 30,
    labels: {},
    value: "1m 54s",
    quiet: [
      'headrace_propagation_seconds_bucket{le="1",instance="node1"} 0+1x60',
      'headrace_propagation_seconds_bucket{le="+Inf",instance="node1"} 0+1x60',
    ],
  },
  {
    alert: "HeadraceSettingsRejected",
    fires: ['headrace_settings_rejected{instance="node1"} 1+0x60'],
    minutes: 3,
    labels: { instance: "node1" },
    quiet: ['headrace_settings_rejected{instance="node1"} 0+0x60'],
  },
]
