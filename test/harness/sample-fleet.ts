import { finding, worstLevel } from "@headrace/shared/status/finding"
import type { ClusterSourceStatus, FleetStatus } from "@headrace/shared/status/fleet-status"

const TIP = "0a1b2c3d4e5f".padEnd(40, "6")
const SHOWN = "f73d5090fedc".padEnd(40, "6")

/** A judged fleet of one source in so many clusters: the first four are stopped, with a node behind, held and failing. */
export function sampleFleet(clusters: number): FleetStatus {
  const all = Array.from({ length: clusters }, (_, at) => sampleClusterSource(at + 1))
  const some = [stopped, withNodes, held, failing].slice(0, clusters)
  const clusterSources = [
    ...some.map((change, at) => change(all[at] ?? sampleClusterSource(1))),
    ...all.slice(some.length),
  ]
  return {
    format: 1,
    at: "2026-11-28T14:00:00.000Z",
    level: worstLevel(clusterSources),
    findings: [],
    clusterSources,
  }
}

/** One cluster as it is meant to be. */
export function sampleClusterSource(number: number): ClusterSourceStatus {
  return {
    cluster: `build${String(number).padStart(2, "0")}`,
    source: "release",
    state: "current",
    level: "well",
    commit: TIP,
    token: { epoch: 0, seq: 7 },
    tip: TIP,
    behind: 0,
    lag: null,
    hold: null,
    stopped: null,
    intents: [],
    failed: [],
    failedMore: 0,
    orphans: [],
    orphansUnknown: null,
    foreign: [],
    nodes: { live: 20, total: 20, behind: [], silent: [], gone: 0 },
    store: { targets: 12, files: 312, bytes: 4096 },
    lane: null,
    lastOutcome: null,
    findings: [],
  }
}

function stopped(one: ClusterSourceStatus): ClusterSourceStatus {
  const why = finding("trouble", "stopped", "stopped at 0a1b2c3d4e5f", {
    code: "guard/deleted-keys",
    since: "2026-11-28T13:08:00.000Z",
    detail: "this change would delete 40 of 41 keys, more than the guard's 20%",
    advice: "Approve it if it is meant; otherwise revert the merge.",
    command: `headrace-bootstrapper approve --commit 0a1b2c3d4e5f --cluster ${one.cluster}`,
  })
  return { ...one, level: "trouble", state: "stopped", commit: SHOWN, behind: 3, lag: 3120, findings: [why] }
}

function withNodes(one: ClusterSourceStatus): ClusterSourceStatus {
  const problem = "waits for ConfigMap ci/jobs: shard missing"
  const since = "2026-11-28T13:40:00.000Z"
  const behind = [{ node: "node-7", shows: SHOWN, code: "projection/waits", problem, since }]
  const silent = [{ node: "node-9", since: "2026-11-28T11:00:00.000Z", shows: SHOWN }]
  const findings = [
    finding("trouble", "node", "node-7 shows f73d5090fedc", {
      code: "projection/waits",
      subject: "node-7",
      since,
      detail: problem,
      command: "headrace-bootstrapper explain node-7",
    }),
    finding("trouble", "silent", "node-9: no report", {
      since: "2026-11-28T11:00:00.000Z",
      advice: "Its agent is stopped or cut off; delete its Lease when the node is gone for good.",
      command: "kubectl --namespace headrace get pods --output=wide --field-selector=spec.nodeName=node-9",
    }),
  ]
  const nodes = { live: 18, total: 19, behind, silent, gone: 0 }
  return { ...one, level: "trouble", nodes, findings }
}

function held(one: ClusterSourceStatus): ClusterSourceStatus {
  const hold = { commit: SHOWN, rulesCommit: null, by: "ann", reason: "incident 42", until: null }
  const why = finding("notice", "held", "held at f73d5090fedc by ann until release", {
    detail: "incident 42",
    command: `headrace-bootstrapper release --cluster ${one.cluster}`,
  })
  return { ...one, level: "notice", state: "held", commit: SHOWN, behind: 3, hold, findings: [why] }
}

function failing(one: ClusterSourceStatus): ClusterSourceStatus {
  const since = "2026-11-28T13:59:00.000Z"
  const reason = "kube/forbidden: ServiceAccount headrace may not update ConfigMaps of namespace ci"
  const failed = [{ target: "ci/jobs", reason, since, retry: "soon" as const, remedy: null }]
  const why = finding("trouble", "failed", "ci/jobs failed", {
    subject: "ci/jobs",
    since,
    detail: reason,
    advice: "Tried again within a minute. Give the account the right that the message names.",
  })
  return { ...one, level: "trouble", failed, findings: [why] }
}
