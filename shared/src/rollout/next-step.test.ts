import { describe, expect, it } from "vitest"
import { newRecord, type SourceRecord } from "../record/record.ts"
import { ALL_NODES, type Candidate } from "../record/rollout-state.ts"
import { RolloutSettings } from "../settings/rollout-settings.ts"
import { type FollowedRevision, revisionOf } from "./followed-revision.ts"
import { nextStep, type StepInput } from "./next-step.ts"
import { policyDigest, type RolloutPolicy } from "./policy.ts"
import type { PeerRecord } from "./seen-clusters.ts"

const [OLD, NEW, NEWER] = ["a".repeat(40), "b".repeat(40), "c".repeat(40)]
const SEQ: { [commit: string]: number } = { [OLD]: 1, [NEW]: 2, [NEWER]: 3 }

function policyOf(settings: object = {}, clusters = ["build", "canary"]): RolloutPolicy {
  const stages = [{ clusters: ["canary"], bake: "1s" }, {}]
  return { ...RolloutSettings.parse({ stages, ...settings }), clusters }
}

function revision(commit: string): FollowedRevision {
  return { commit, rulesCommit: null, rules: "r" }
}

function showing(commit: string, more: Partial<SourceRecord> = {}): SourceRecord {
  const token = { epoch: 1, seq: SEQ[commit] ?? 0 }
  return { ...newRecord("release", token), ...revision(commit), root: commit.repeat(2).slice(0, 64), ...more }
}

function before(commit: string) {
  const token = { epoch: 1, seq: SEQ[commit] ?? 0 }
  return { ...revision(commit), root: null, token }
}

function trying(commit: string, policy: RolloutPolicy, more: Partial<Candidate> = {}): Candidate {
  return {
    ...revision(commit),
    token: { epoch: 1, seq: SEQ[commit] ?? 0 },
    root: commit.repeat(2).slice(0, 64),
    policy: policyDigest(policy),
    stage: 0,
    bound: ALL_NODES,
    selectors: [],
    expected: { count: 1, nodes: null },
    since: "2026-01-01T00:00:00Z",
    passed: null,
    view: true,
    hurried: false,
    skipped: [],
    word: null,
    ...more,
  }
}

interface Seen {
  self: string
  record: SourceRecord
  peers: { [cluster: string]: PeerRecord }
  policy?: RolloutPolicy
  tip?: string
  verdict?: StepInput["verdict"]
}

function step({ self, record, peers, policy = policyOf(), tip, verdict }: Seen) {
  const seen = { policy, self, record, peers: new Map(Object.entries(peers)), now: 0 }
  const followed = tip === undefined ? undefined : revisionOf(revision(tip))
  return nextStep(seen, { tip: followed, verdict, at: "2026-01-01T00:00:00Z" })
}

describe("a leader that shows less than the others", () => {
  const ahead = { previous: before(OLD) }

  it.each([
    ["was put back", NEW],
    ["became the leader when the stages changed in mid-rollout", NEWER],
  ])("goes on though they do not go back to it: it %s", (_why, tip) => {
    const canary = { self: "canary", record: showing(OLD), peers: { build: showing(NEW, ahead) } }
    expect(step({ ...canary, tip })).toMatchObject({ kind: "prepare", revision: { commit: tip } })
    const build = { self: "build", record: showing(NEW, ahead), peers: { canary: showing(OLD) } }
    expect(step({ ...build, tip })).toMatchObject({ kind: "rest", holdUp: [] })
  })

  it("begins the next rollout where this one cannot end: an operator had rewound a cluster beyond it", () => {
    const clusters = ["build", "canary", "edge"]
    const policy = policyOf({ stages: [{ clusters: ["canary"] }, { clusters: ["build"] }, {}] }, clusters)
    const edge = showing(OLD, { candidate: trying(NEW, policy, { stage: 1 }) })
    const canary = (build: SourceRecord) =>
      step({ policy, self: "canary", record: showing(NEW), peers: { build, edge }, tip: NEWER })
    const rewound = showing(NEWER)
    expect(canary(rewound)).toMatchObject({ kind: "prepare", revision: { commit: NEWER } })
    const hold = { commit: NEWER, rulesCommit: null, by: "me", reason: "", since: "", until: null }
    expect(canary({ ...rewound, hold })).toMatchObject({ holdUp: ["cluster edge: it is in stage 2"] })
    expect(canary(showing(NEW))).toMatchObject({ holdUp: ["cluster edge: it is in stage 2"] })
  })

  it("waits for those that still follow it", () => {
    const behind = { self: "canary", record: showing(NEW), peers: { build: showing(OLD) }, tip: NEWER }
    expect(step(behind)).toMatchObject({ kind: "rest", holdUp: ["cluster build: it has not begun"] })
    const returned = showing(OLD, { token: { epoch: 2, seq: 1 }, previous: ahead.previous })
    const peers = { build: showing(NEW) }
    const record = { ...returned, previous: before(NEW) }
    expect(step({ self: "canary", record, peers, tip: NEWER })).toMatchObject({ kind: "rest" })
  })
})

describe("what changes in mid-rollout", () => {
  const policy = policyOf()
  const candidate = trying(NEW, policy)

  it.each<[string, RolloutPolicy]>([
    ["other stages", policyOf({ stages: [{ nodes: "10%" }, {}] })],
    ["another health", policyOf({ health: { nodes: { within: "1m" } } })],
    ["a cluster that is gone from the settings", policyOf({}, ["canary"])],
    ["a cluster that came", policyOf({}, ["build", "canary", "edge"])],
  ])("returns without a rejection, before any check: %s", (_what, changed) => {
    const verdict = { kind: "failed", code: "rollout/node-failed", why: "node n: bad" } as const
    const seen = { self: "canary", record: showing(OLD, { candidate }), peers: { build: showing(OLD) } }
    expect(step({ ...seen, policy: changed, verdict })).toMatchObject({ kind: "return", rejection: null })
  })

  it("waits where a stage has no cluster of its name any more, and names the stage", () => {
    const renamed = policyOf({ stages: [{ clusters: ["canary"] }, { clusters: ["edge*"] }, {}] })
    const record = showing(OLD, { candidate: trying(NEW, renamed, { bound: 0, stage: 2 }) })
    const peers = { canary: showing(NEW) }
    expect(step({ self: "build", record, peers, policy: renamed })).toMatchObject({
      kind: "rest",
      holdUp: ["stage 2: the settings have no cluster of that name"],
    })
  })

  it("goes by a rejection before a passed stage, from any record, promoted or not", () => {
    const at = "2026-01-01T00:00:00Z"
    const rejected = { ...revision(NEW), seq: 2, code: "rollout/node-failed", reason: "bad", at }
    const peers = { build: showing(OLD, { rejected }) }
    const passed = { kind: "passed" } as const
    const open = showing(OLD, { candidate })
    expect(step({ self: "canary", record: open, peers, verdict: passed })).toMatchObject({
      kind: "return",
      to: "baseline",
    })
    const promoted = showing(NEW, { previous: before(OLD) })
    expect(step({ self: "canary", record: promoted, peers, tip: NEW })).toMatchObject({
      kind: "return",
      to: "previous",
    })
  })

  it("opens nothing while a cluster of an earlier stage cannot be read, is lost, or shows nothing", () => {
    const record = showing(OLD, { candidate: trying(NEW, policy, { bound: 0, stage: 1 }) })
    for (const canary of ["unreachable", null] as const) {
      expect(step({ self: "build", record, peers: { canary } })).toMatchObject({ kind: "rest" })
    }
  })
})
