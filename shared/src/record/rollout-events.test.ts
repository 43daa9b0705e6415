import { expect, it } from "vitest"
import { newRecord, type SourceRecord } from "./record.ts"
import { reachText, rolloutEvents } from "./rollout-events.ts"
import { ALL_NODES, type Candidate, type Rejection } from "./rollout-state.ts"

const OLD = "a".repeat(40)
const NEW = "b".repeat(40)
const candidate: Candidate = {
  commit: NEW,
  rulesCommit: null,
  rules: "",
  token: { epoch: 1, seq: 2 },
  root: "c".repeat(64),
  policy: "0".repeat(16),
  stage: 0,
  bound: 0,
  selectors: [],
  expected: { count: 0, nodes: null },
  since: "2026-01-01T00:00:00Z",
  passed: null,
  view: false,
  hurried: false,
  skipped: [],
  word: null,
}
const atRest: SourceRecord = { ...newRecord("release", { epoch: 1, seq: 1 }), commit: OLD }
const trying: SourceRecord = { ...atRest, candidate }

function reasons(before: SourceRecord | undefined, after: SourceRecord): string[] {
  return rolloutEvents(before, after).map(({ reason, message }) => `${reason}: ${message}`)
}

it("says nothing where there is no rollout", () => {
  expect(rolloutEvents(undefined, atRest)).toEqual([])
  expect(rolloutEvents(atRest, { ...atRest, commit: NEW })).toEqual([])
  expect(rolloutEvents(trying, trying)).toEqual([])
})

it("follows a rollout through its stages to its promotion", () => {
  expect(reasons(atRest, trying)).toEqual([`RolloutStarted: tries ${NEW.slice(0, 12)} at token 1.2`])
  const first = { ...trying, candidate: { ...candidate, bound: ALL_NODES / 20 } }
  expect(reasons(trying, first)).toEqual([`RolloutStage: stage 1 of ${NEW.slice(0, 12)}: 5 % of the nodes`])
  const last = { ...trying, candidate: { ...candidate, stage: 2, bound: ALL_NODES } }
  expect(reasons(first, last)).toEqual([`RolloutStage: stage 3 of ${NEW.slice(0, 12)}: every node`])
  expect(reasons(last, { ...atRest, commit: NEW })).toEqual([])
})

it("names a stage for labelled nodes when it begins", () => {
  const labelled = { ...trying, candidate: { ...candidate, selectors: [{ tier: "canary" }] } }
  expect(reasons(trying, labelled)).toEqual([
    `RolloutStage: stage 1 of ${NEW.slice(0, 12)}: nodes labelled tier=canary`,
  ])
  expect(reasons(labelled, labelled)).toEqual([])
})

it("warns of a return with its reason and what to type, and not again", () => {
  const rejected: Rejection = {
    ...{ commit: NEW, rulesCommit: null, rules: "", at: "2026-01-01T00:00:00Z" },
    ...{ code: "rollout/node-failed", reason: "node n1: http[0]: answered 500" },
  } as Rejection
  const returned = { ...atRest, rejected }
  const [event] = rolloutEvents(trying, returned)
  expect(event).toMatchObject({ type: "Warning", reason: "RolloutReturned" })
  expect(event?.message).toContain("node n1: http[0]: answered 500 [rollout/node-failed]")
  expect(event?.message).toContain(`approve --rejection --commit ${NEW.slice(0, 12)}`)
  expect(rolloutEvents(returned, returned)).toEqual([])
  expect(reasons(returned, atRest)).toEqual([`RejectionLifted: ${NEW.slice(0, 12)} may be tried again`])
  const approval = { commit: NEW, by: "ada", reason: "the probe was down", at: "2026-01-01T00:00:00Z" }
  const [lifted] = rolloutEvents(returned, atRest, approval)
  expect(lifted?.message).toMatch(/may be tried again, as ada ordered: the probe was down$/)
  const again = { ...trying, candidate: { ...candidate, word: { by: "ada", reason: "down", at: "2026" } } }
  expect(reasons(atRest, again)).not.toContainEqual(expect.stringContaining("ClusterSkipped"))
})

it("names who hurried a rollout or had it continue without a cluster, and why", () => {
  const word = { by: "ada", reason: "incident 42", at: "2026-01-01T00:00:00Z" }
  const hurried = { ...trying, candidate: { ...candidate, hurried: true, word } }
  expect(reasons(trying, hurried)[0]).toMatch(/^PromotedNow: .* as ada ordered: incident 42$/)
  const skipped = { ...trying, candidate: { ...candidate, skipped: ["build01"], word } }
  expect(reasons(trying, skipped)[0]).toMatch(/^ClusterSkipped: continues without build01, as ada ordered/)
  expect(reasons(trying, atRest)).toEqual([
    `RolloutEnded: drops ${NEW.slice(0, 12)}; ${OLD.slice(0, 12)} stays in force`,
  ])
})

it("never rounds a share to none or to all", () => {
  expect(reachText({ bound: 1, selectors: [] })).toBe("less than 1 % of the nodes")
  expect(reachText({ bound: ALL_NODES - 1, selectors: [] })).toBe("99 % of the nodes")
  expect(reachText({ bound: 0, selectors: [{ tier: "canary", zone: "a" }] })).toBe(
    "nodes labelled tier=canary,zone=a",
  )
  expect(reachText({ bound: 0, selectors: [] })).toBe("no node yet")
})
