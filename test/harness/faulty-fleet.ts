import type { Lease } from "@headrace/shared/kube/lease-api"
import type { LaneOutcome } from "@headrace/shared/lanes/lane-outcome"
import { REPORT_ANNOTATION, type ReportedProjection } from "@headrace/shared/record/node-report"
import { newRecord, type SourceRecord, type Token } from "@headrace/shared/record/record"
import { answered, type Problem } from "@headrace/shared/status/answer"
import { explainChange } from "@headrace/shared/status/explain-change"
import type { Explanation } from "@headrace/shared/status/explanation"
import { type ClusterSourceFacts, type FleetFacts, laneKey } from "@headrace/shared/status/fleet-facts"
import { judgeCommit } from "@headrace/shared/status/judge-commit"
import { judgeFleet } from "@headrace/shared/status/judge-fleet"
import { revisionsWith } from "@headrace/shared/status/revisions-with"

export const NOW = Date.parse("2026-11-28T14:00:00Z")
export const MINUTE = 60_000
export const OLD = "a".repeat(40)
export const NEW = "b".repeat(40)
const AT: Token = { epoch: 1, seq: 8 }
const BEFORE: Token = { epoch: 1, seq: 7 }
/** What a record and a node say that show the commit before. */
export const RECORD_BEFORE = { token: BEFORE, commit: OLD }
export const NODE_BEFORE = { token: BEFORE, revision: OLD }
export const TOKENS = { at: AT, before: BEFORE }
export const CONTEXT = {
  config: null,
  bootstrapper: ["headrace-bootstrapper"],
  sources: {},
  severalClusters: true,
  severalSources: false,
  programsNamespace: "headrace",
  clusters: { east: { kubeconfig: "/kube/east" } },
}

/** What is wrong, beside a cluster in which commit NEW is live on its one node. */
export interface Fault {
  record?: Partial<SourceRecord> | Problem | "none"
  node?: Partial<ReportedProjection> | "dead" | "none"
  outcome?: Partial<LaneOutcome>
  lastSuccess?: number
  redis?: Problem | "full"
  git?: Problem
  cluster?: string
}

export function problem(code: string, message: string): Problem {
  return { code, message, hint: null }
}

/** The facts of a fleet with this fault, and otherwise none. */
export function factsOf({
  record,
  node,
  outcome,
  lastSuccess = NOW - MINUTE,
  redis,
  git,
  cluster = "east",
}: Fault): FleetFacts {
  const shown: SourceRecord = {
    ...newRecord("release", AT),
    commit: NEW,
    history: [{ commit: OLD, token: BEFORE, root: "c".repeat(64) }],
    ...(typeof record === "object" && !("hint" in record) ? record : {}),
  }
  const isUnknown = typeof record === "object" && "hint" in record
  const unknown = { known: false as const, problem: isUnknown ? (record as Problem) : problem("", "") }
  const one: ClusterSourceFacts = {
    cluster,
    source: "release",
    keepsStore: true,
    recordName: "headrace/release",
    record: isUnknown ? unknown : answered(record === "none" ? undefined : shown),
    leases: isUnknown ? unknown : answered(leasesOf(node)),
    failed: isUnknown ? unknown : answered(shown.failed),
    store: isUnknown ? unknown : answered(undefined),
    orphans: isUnknown ? unknown : answered([]),
  }
  const key = laneKey(cluster, "release")
  const ended: LaneOutcome = {
    format: 1,
    source: "release",
    mode: "incremental",
    ticket: 1,
    at: NOW - MINUTE,
    result: "noop",
    commit: NEW,
    failed: [],
    error: null,
    ...outcome,
  }
  const delivery = { guid: "guid-1", event: "push", sha: NEW, pull: undefined, arrived: NOW - 10 * MINUTE }
  const summary = { subject: "Change it", author: "Ann", committed: NOW - 10 * MINUTE }
  const commits = new Map([
    [NEW, { ...summary, seq: 8, isInBranch: true }],
    [OLD, { ...summary, seq: 7, isInBranch: true }],
  ])
  return {
    at: NOW,
    branches: new Map([
      ["release", git ? { known: false, problem: git } : answered({ commit: NEW, seq: 8, commits })],
    ]),
    lanes:
      typeof redis === "object"
        ? { known: false, problem: redis }
        : answered({
            successes: new Map([[key, lastSuccess]]),
            outcomes: new Map([[key, ended]]),
            deliveries: redis === "full" ? [] : [delivery],
            isFull: redis === "full",
          }),
    clusterSources: [one],
  }
}

function leasesOf(node: Fault["node"]): Lease[] {
  if (node === "none") return []
  const projection = { name: "jobs", path: "/jobs", revision: NEW, token: AT, since: null, problem: null }
  const shown: ReportedProjection = { ...projection, ...(typeof node === "object" ? node : {}) }
  const report = {
    format: 1,
    node: "node-1",
    record: "headrace/release",
    projections: [shown],
    more: 0,
    lowest: shown.token,
  }
  return [
    {
      namespace: "headrace",
      name: "headrace-agent-node-1",
      annotations: { [REPORT_ANNOTATION]: JSON.stringify(report) },
      holder: "node-1",
      renewed: node === "dead" ? NOW - 60 * MINUTE : NOW - 1000,
      duration: 180_000,
    },
  ]
}

/** What explain says of commit NEW. */
export async function explainNew(facts: FleetFacts): Promise<Explanation> {
  const repository = {
    seqOf: async (commit: string) => (commit === OLD ? 7 : 8),
    contains: async (commit: string, ancestor: string) => commit === NEW || ancestor === OLD,
  }
  const verdicts = await Promise.all(
    facts.clusterSources.map(async (one) => {
      const record = one.record.known ? one.record.value : undefined
      const recorded = record && (await revisionsWith(record, NEW, repository, new AbortController().signal))
      const verdict = judgeCommit({ facts: one, commit: NEW, recorded, ignoreSilent: false, now: facts.at })
      return [laneKey(one.cluster, one.source), verdict] as const
    }),
  )
  const branch = facts.branches.get("release")
  return explainChange(judgeFleet(facts, CONTEXT), {
    kind: "commit",
    name: "bbbbbbbbbbbb",
    commit: NEW,
    summary: branch?.known ? branch.value.commits.get(NEW) : undefined,
    after: 0,
    branch: "main",
    rules: [],
    delivery: facts.lanes?.known ? facts.lanes.value.deliveries[0] : undefined,
    verdicts: new Map(verdicts),
  })
}
