import { describe, expect, it } from "vitest"
import { PLAIN } from "../command-line/paint.ts"
import type { Lease } from "../kube/lease-api.ts"
import type { LaneOutcome } from "../lanes/lane-outcome.ts"
import { REPORT_ANNOTATION, type ReportedProjection } from "../record/node-report.ts"
import { newRecord, type SourceRecord, type Token } from "../record/record.ts"
import { answered, type Problem } from "./answer.ts"
import { explainChange } from "./explain-change.ts"
import { explainNode, leasesOfNode } from "./explain-node.ts"
import type { Explanation } from "./explanation.ts"
import { explanationText } from "./explanation-text.ts"
import { type ClusterSourceFacts, type FleetFacts, laneKey } from "./fleet-facts.ts"
import { judgeCommit } from "./judge-commit.ts"
import { judgeFleet } from "./judge-fleet.ts"
import { revisionsWith } from "./revisions-with.ts"

const NOW = Date.parse("2026-11-28T14:00:00Z")
const MINUTE = 60_000
const OLD = "a".repeat(40)
const NEW = "b".repeat(40)
const AT: Token = { epoch: 1, seq: 8 }
const BEFORE: Token = { epoch: 1, seq: 7 }
const CONTEXT = { config: null, severalClusters: true, severalSources: false, programsNamespace: "headrace" }

/** What is wrong, beside a cluster in which commit NEW is live on its one node. */
interface Fault {
  record?: Partial<SourceRecord> | Problem | "none"
  node?: Partial<ReportedProjection> | "dead" | "none"
  outcome?: Partial<LaneOutcome>
  lastSuccess?: number
  redis?: Problem | "full"
  git?: Problem
  cluster?: string
}

interface Expected {
  answer: RegExp
  /** In the text, its line breaks taken out. */
  says: RegExp[]
}

const problem = (code: string, message: string): Problem => ({ code, message, hint: null })

/** Every fault that test/fault injects, by its file, and what explain has to say of the commit meanwhile. */
const FAULTS: [file: string, what: string, fault: Fault, expected: Expected][] = [
  ["", "no fault", {}, { answer: /^live everywhere$/, says: [/live on 1\/1 nodes/, /push guid-1 arrived/] }],
  [
    "empty-node",
    "a node that starts with nothing while the API server answers 503",
    {
      node: {
        revision: null,
        token: null,
        problem: {
          code: "kube/unavailable",
          message: "get ConfigMap ci/x: 503",
          since: "2026-11-28T13:50:00Z",
        },
      },
    },
    {
      answer: /not live: .*node-1: get ConfigMap ci\/x: 503/,
      says: [/since 2026-11-28T13:50:00Z \(10 min ago\)/, /→ headrace-bootstrapper explain node-1/],
    },
  ],
  [
    "failed-targets",
    "a target without rights",
    {
      record: {
        failed: [
          { target: "ci/jobs", reason: "kube/forbidden: may not write", since: "2026-11-28T13:58:00Z" },
        ],
      },
    },
    {
      answer: /not live: .*ci\/jobs failed: kube\/forbidden/,
      says: [/2 min ago/, /Tried again within a minute\./],
    },
  ],
  [
    "failed-targets",
    "a ConfigMap of a stranger",
    {
      record: {
        failed: [
          { target: "ci/jobs", reason: "reconcile/not-ours: it is not ours", since: "2026-11-28T13:58:00Z" },
        ],
      },
    },
    { answer: /ci\/jobs failed/, says: [/→ headrace-bootstrapper adopt --target ci\/jobs --cluster east/] },
  ],
  [
    "failed-targets",
    "more failed targets than the record lists",
    { record: { failed: [], failedMore: 30 } },
    { answer: /30 more targets failed/, says: [/30 more targets failed/] },
  ],
  [
    "real-namespaces",
    "a namespace that is being deleted",
    {
      record: {
        failed: [
          {
            target: "gone/jobs",
            reason: "kube/terminating: namespace gone is being deleted",
            since: "2026-11-28T13:58:00Z",
          },
        ],
      },
    },
    { answer: /gone\/jobs failed: kube\/terminating/, says: [/gone\/jobs failed since/] },
  ],
  [
    "killed-worker, frozen-worker",
    "a worker that ended between intent and swap",
    {
      record: {
        token: BEFORE,
        commit: OLD,
        intents: [{ token: AT, commit: NEW, rulesCommit: null, targets: ["ci/a", "ci/b"] }],
      },
      node: { revision: OLD, token: BEFORE },
    },
    {
      answer: /not in aaaaaaaaaaaa/,
      says: [/bbbbbbbbbbbb is being written: 2 targets/, /the next one does/],
    },
  ],
  [
    "frozen-worker",
    "a commit that is being taken back",
    {
      record: { intents: [{ token: { epoch: 2, seq: 7 }, commit: OLD, rulesCommit: null, targets: "all" }] },
    },
    {
      answer: /aaaaaaaaaaaa, without it, is being written/,
      says: [/aaaaaaaaaaaa is being written: all targets/],
    },
  ],
  [
    "hostile-archives",
    "a shard that a node refuses",
    {
      node: {
        revision: OLD,
        token: BEFORE,
        problem: {
          code: "bundle/bad-entry",
          message: "shard x names ../etc/passwd",
          since: "2026-11-28T13:50:00Z",
        },
      },
    },
    { answer: /node-1: shard x names \.\.\/etc\/passwd/, says: [/\[bundle\/bad-entry\]/] },
  ],
  [
    "lost-keys",
    "a lane whose keys Redis lost, and that has not run since",
    {
      record: { token: BEFORE, commit: OLD },
      node: { revision: OLD, token: BEFORE },
      lastSuccess: NOW - 180 * MINUTE,
    },
    {
      answer: /not in aaaaaaaaaaaa/,
      says: [
        /late: its lane last succeeded 2026-11-28T11:00:00Z \(3 h ago\)/,
        /→ headrace-bootstrapper apply --cluster east/,
      ],
    },
  ],
  [
    "named-clusters",
    "a cluster whose name has colons and slashes",
    {
      cluster: "ci/api-build01:6443",
      record: {
        stopped: { code: "guard/deleted-keys", message: "40 of 41 keys", commit: NEW },
        token: BEFORE,
        commit: OLD,
      },
    },
    {
      answer: /release in ci\/api-build01:6443/,
      says: [/→ headrace-bootstrapper approve --commit bbbbbbbbbbbb --cluster ci\/api-build01:6443/],
    },
  ],
  [
    "redis-faults, redis-link",
    "Redis away",
    { redis: problem("lanes/redis-unavailable", "Redis at redis:6379 cannot be reached") },
    { answer: /^live everywhere$/, says: [/webhook +not known: Redis at redis:6379 cannot be reached/] },
  ],
  [
    "redis-faults",
    "Redis full, which took no webhook",
    { redis: "full", record: { token: BEFORE, commit: OLD }, node: { revision: OLD, token: BEFORE } },
    { answer: /not in aaaaaaaaaaaa/, says: [/webhook +Redis is full: webhooks are refused/] },
  ],
  [
    "redis-topologies, redis-trouble",
    "Redis that refuses a right, or is a replica",
    {
      redis: problem("lanes/redis-read-only", "Redis is a replica"),
      record: { token: BEFORE, commit: OLD },
      node: { revision: OLD, token: BEFORE },
    },
    {
      answer: /not in aaaaaaaaaaaa/,
      says: [/not known: Redis is a replica/, /1 commit behind bbbbbbbbbbbb/],
    },
  ],
  [
    "bad git",
    "a run that cannot fetch",
    {
      record: { token: BEFORE, commit: OLD },
      node: { revision: OLD, token: BEFORE },
      outcome: { result: "failed", error: { code: "git/auth-failed", message: "git fetch was refused" } },
    },
    {
      answer: /not in aaaaaaaaaaaa/,
      says: [/the last run failed: git fetch was refused \[git\/auth-failed\]/],
    },
  ],
  [
    "cluster down",
    "an API server that does not answer",
    { record: problem("status/no-answer", "cluster east did not answer within 2 s") },
    {
      answer: /the record cannot be read: cluster east did not answer/,
      says: [/what it shows is not known: cluster east did not answer/],
    },
  ],
  [
    "guard",
    "a commit that the guard stopped",
    {
      record: {
        stopped: {
          code: "guard/deleted-keys",
          message: "40 of 41 keys",
          commit: NEW,
          judged: { rulesCommit: null, rules: null, since: "2026-11-28T13:08:00Z" },
        },
        token: BEFORE,
        commit: OLD,
      },
      node: { revision: OLD, token: BEFORE },
    },
    {
      answer: /not in aaaaaaaaaaaa/,
      says: [
        /stopped at bbbbbbbbbbbb since 2026-11-28T13:08:00Z \(52 min ago\): 40 of 41 keys/,
        /→ headrace-bootstrapper approve --commit bbbbbbbbbbbb/,
      ],
    },
  ],
  [
    "forced push",
    "a branch that was rewritten",
    {
      record: {
        stopped: { code: "git/diverged", message: "the branch was rewritten", commit: NEW },
        token: BEFORE,
        commit: OLD,
      },
      node: { revision: OLD, token: BEFORE },
    },
    { answer: /not in/, says: [/→ headrace-bootstrapper rewind --to bbbbbbbbbbbb/, /allowForcePush/] },
  ],
  [
    "hold",
    "a cluster that is held",
    {
      record: {
        hold: { commit: OLD, rulesCommit: null, by: "ann", reason: "freeze", until: null },
        token: BEFORE,
        commit: OLD,
      },
      node: { revision: OLD, token: BEFORE },
    },
    {
      answer: /not live: release in east/,
      says: [
        /held at aaaaaaaaaaaa by ann until release: freeze/,
        /→ headrace-bootstrapper release --cluster east/,
      ],
    },
  ],
  [
    "dead node",
    "the only node is silent",
    { node: "dead" },
    { answer: /node-1: no report since/, says: [/kubectl --namespace headrace get pods/] },
  ],
  ["no node", "no node reports", { node: "none" }, { answer: /no node reports/, says: [/no node reports/] }],
  [
    "no record",
    "nothing was ever applied",
    { record: "none", node: "none" },
    { answer: /nothing is shown yet/, says: [/→ headrace-bootstrapper apply --cluster east/] },
  ],
]

describe("explain", () => {
  it.each(FAULTS)("%s: %s", async (_, __, fault, { answer, says }) => {
    const facts = factsOf(fault)
    const explained = await explainNew(facts)
    expect(explained.answer).toMatch(answer)
    const text = explanationText(explained, PLAIN)
    const flat = text.replaceAll("\\\n", "").replace(/\s+/g, " ")
    for (const part of says) expect(flat).toMatch(part)
    expect(text.split("\n").every((line) => line.length <= 80)).toBe(true)
    expect(text.split("\n").length).toBeLessThan(25)
  })

  it("names a Redis that is full as trouble, with what to do, though everything else is well", () => {
    const { level, findings } = judgeFleet(factsOf({ redis: "full" }), CONTEXT)
    expect(level).toBe("trouble")
    expect(findings).toMatchObject([
      { text: "Redis is full", code: "lanes/redis-full", advice: expect.stringContaining("more memory") },
    ])
  })

  it("says of a node what it shows and why it waits", () => {
    const since = "2026-11-28T13:50:00Z"
    const waits = { code: "projection/waits", message: "waits for ci/x", since }
    const facts = factsOf({ node: { revision: OLD, token: BEFORE, problem: waits } })
    const status = judgeFleet(facts, CONTEXT)
    const explained = explainNode(status, "node-1", leasesOfNode(facts, "node-1"), CONTEXT)
    const flat = explanationText(explained, PLAIN).replace(/\s+/g, " ")
    expect(flat).toContain("✗ node node-1: jobs at /jobs: shows aaaaaaaaaaaa")
    expect(flat).toContain(
      "it waits since 2026-11-28T13:50:00Z (10 min ago): waits for ci/x [projection/waits]",
    )
    expect(flat).toContain("field-selector=spec.nodeName=node-1")
  })
})

function factsOf({
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
    [NEW, { ...summary, seq: 8 }],
    [OLD, { ...summary, seq: 7 }],
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

async function explainNew(facts: FleetFacts): Promise<Explanation> {
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
