import { describe, expect, it } from "vitest"
import type { Lease } from "../kube/lease-api.ts"
import { REPORT_ANNOTATION, type RolloutReport } from "../record/node-report.ts"
import { newRecord, type SourceRecord } from "../record/record.ts"
import { ALL_NODES, type Candidate } from "../record/rollout-state.ts"
import { answered } from "./answer.ts"
import { type ClusterSourceFacts, type FleetFacts, type LaneFacts, laneKey } from "./fleet-facts.ts"
import { judgeFleet } from "./judge-fleet.ts"
import { statusPage } from "./status-page.ts"
import { statusText } from "./status-text.ts"

const NOW = Date.parse("2026-01-01T00:10:00Z")
const OLD = "a".repeat(40)
const NEW = "b".repeat(40)
const ROOTS = { old: "1".repeat(64), new: "2".repeat(64) }
const BEFORE = { token: { epoch: 1, seq: 1 }, root: ROOTS.old }
const TRIED = { token: { epoch: 1, seq: 2 }, root: ROOTS.new }
const PAINT = { bold: String, dim: String, red: String, yellow: String, green: String, cyan: String }
const CONTEXT = {
  config: "headrace.yaml",
  bootstrapper: ["headrace-bootstrapper"],
  sources: {},
  severalClusters: true,
  clusters: {},
  severalSources: false,
  programsNamespace: "headrace",
}

const candidate: Candidate = {
  ...TRIED,
  commit: NEW,
  rulesCommit: null,
  rules: "",
  policy: "0".repeat(16),
  stage: 1,
  bound: ALL_NODES,
  selectors: [],
  expected: { count: 3, nodes: null },
  since: "2026-01-01T00:08:00Z",
  passed: null,
  view: false,
  hurried: false,
  skipped: [],
  word: null,
}
const atRest: SourceRecord = {
  ...newRecord("release", BEFORE.token),
  commit: OLD,
  root: ROOTS.old,
}
const rejected = {
  ...{ commit: NEW, rulesCommit: null, rules: "", seq: 2, code: "rollout/node-failed" },
  ...{ reason: "node n2: jobs: http[0]: answered 500", at: "2026-01-01T00:09:00Z" },
}

function lease(node: string, rollout: Partial<RolloutReport>, age = 0): Lease {
  const shown = rollout.shown === undefined ? TRIED : rollout.shown
  const token = shown?.token ?? null
  const report = {
    format: 2,
    node,
    record: "headrace/release",
    projections: [{ name: "jobs", path: "/jobs", revision: NEW, token, since: null, problem: null }],
    more: 0,
    lowest: token,
    rollout: { labels: {}, keepsBaseline: null, checks: "passing", failed: null, ...rollout, shown },
  }
  const annotations = { [REPORT_ANNOTATION]: JSON.stringify(report) }
  const renewed = NOW - age
  return { namespace: "headrace", name: node, holder: node, renewed, duration: 180_000, annotations } as Lease
}

function status(record: SourceRecord, leases: Lease[], expected?: string[], holdUp?: string[]) {
  const facts: ClusterSourceFacts = {
    cluster: "east",
    source: "release",
    keepsStore: true,
    recordName: "headrace/release",
    record: answered(record),
    leases: answered(leases),
    pace: { stages: [{ bake: 60_000 }, { bake: 300_000 }, { bake: 0 }] },
    expected,
    failed: answered([]),
    store: answered(undefined),
    orphans: answered([]),
  }
  const tip = { commit: NEW, seq: 2, commits: new Map() }
  const fleet: FleetFacts = {
    at: NOW,
    branches: new Map([["release", answered(tip)]]),
    lanes: holdUp && answered(lanesWith(holdUp)),
    clusterSources: [facts],
  }
  return judgeFleet(fleet, CONTEXT)
}

function lanesWith(holdUp: string[]): LaneFacts {
  const none = { successes: new Map(), outcomes: new Map(), deliveries: [], isFull: false }
  return { ...none, holdUps: new Map([[laneKey("east", "release"), holdUp]]) }
}

describe("a rollout in the status", () => {
  const leases = [
    lease("n1", {}),
    lease("n2", {
      shown: BEFORE,
      failed: { ...TRIED, projection: "jobs", code: "x/y", message: "down", since: "" },
    }),
    lease("n3", {}, 999_000),
    lease("n4", { shown: BEFORE, checks: "passing" }),
    lease("n5", { shown: BEFORE, keepsBaseline: "it runs once" }),
  ]

  it("has stage, share and time left, and names each node that holds it up", () => {
    const [one] = status({ ...atRest, candidate }, leases).clusterSources
    expect(one?.rollout).toEqual({
      commit: NEW,
      stage: 2,
      stages: 3,
      reach: "every node",
      since: "2026-01-01T00:08:00Z",
      left: 180,
      expected: 3,
      healthy: 1,
      waitsFor: [
        { node: "n2", why: "jobs: down" },
        { node: "n3", why: "it does not report any more" },
        { node: "n4", why: "it does not show it yet" },
      ],
      keepsBaseline: [{ node: "n5", why: "it runs once" }],
      skipped: [],
      word: null,
    })
    expect(one?.state).toBe("working")
  })

  it("never counts health with the revision before", () => {
    const stale = { shown: BEFORE, checks: "passing" } as const
    const [one] = status({ ...atRest, candidate }, [lease("n1", stale)]).clusterSources
    expect(one?.rollout).toMatchObject({ healthy: 0, waitsFor: [{ node: "n1" }] })
    const pending = status({ ...atRest, candidate }, [lease("n1", { checks: "pending" })]).clusterSources[0]
    expect(pending?.rollout).toMatchObject({ healthy: 0, waitsFor: [{ node: "n1" }] })
  })

  it("waits for nodes that are gone, and not for those that it does not rest on", () => {
    const [one] = status({ ...atRest, candidate }, leases, ["n1", "n9"]).clusterSources
    expect(one?.rollout).toMatchObject({
      healthy: 1,
      waitsFor: [{ node: "n9", why: "it is gone" }],
      keepsBaseline: [{ node: "n5" }],
    })
  })

  it("is in the text and on the page, with the command to type", () => {
    const all = status({ ...atRest, candidate }, leases)
    const text = statusText(all, PAINT, 200)
    expect(text).toContain("stage 2 of 3 of bbbbbbbbbbbb")
    expect(text).toContain("every node; 1 of 3 nodes healthy; 3 min left at least; waits for n2 (jobs: down)")
    expect(text).toContain("→ headrace-bootstrapper promote --now --reason WHY --cluster east")
    expect(statusPage(all, { refresh: false })).toContain("stage 2 of 3 of bbbbbbbbbbbb")
  })

  it("names a check of the policy and another cluster that hold it up, as the last look found them", () => {
    const red = "http://probe/healthz: answered 503 (before the rollout begins)"
    const held = status({ ...atRest, candidate }, [lease("n1", {})], ["n1"], [red, "node n1: it is slow"])
    expect(held.format).toBe(4)
    expect(held.clusterSources[0]?.rollout?.holdUp).toEqual([red, "node n1: it is slow"])
    const text = statusText(held, PAINT, 200)
    expect(text).toContain(`waits for ${red}`)
    expect(text).not.toContain("it is slow")
    expect(text).toContain("promote --now")
    const other = status(
      { ...atRest, candidate },
      [lease("n1", {})],
      ["n1"],
      ["cluster west: it is in stage 1"],
    )
    expect(statusText(other, PAINT, 200)).toContain("waits for cluster west: it is in stage 1")
    expect(statusText(other, PAINT, 200)).not.toContain("promote --now")
  })

  it("that went back is trouble, with its reason and what lifts it in every cluster", () => {
    const all = status({ ...atRest, rejected }, [])
    const text = statusText(all, PAINT, 200)
    expect(all.level).toBe("trouble")
    expect(all.clusterSources[0]?.rejected).toMatchObject({ commit: NEW, code: "rollout/node-failed" })
    expect(text).toContain("node n2: jobs: http[0]: answered 500 [rollout/node-failed]")
    expect(text).toContain("approve --rejection --commit bbbbbbbbbbbb --config headrace.yaml")
    expect(text).not.toContain("--cluster")
    expect(text).not.toContain("commits behind")
  })

  it("leaves the output in format 1 where there is none", () => {
    const all = status(atRest, [])
    expect(all.format).toBe(1)
    expect(JSON.stringify(all)).not.toMatch(/rollout|rejected|unhealthy/)
    expect(status({ ...atRest, candidate }, []).format).toBe(2)
  })
})
