import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { fitRecord, RECORD_LIMIT_BYTES, recordJson } from "./fit-record.ts"
import { epochInForce, largestToken, openIntent } from "./intents.ts"
import { newRecord, type SourceRecord } from "./record.ts"
import { readRecord, recordConfigMap } from "./record-config-map.ts"
import { ALL_NODES, type Candidate, type PreviousRevision, type Rejection } from "./rollout-state.ts"

const DIGEST = "d".repeat(64)
const AT = "2026-01-01T00:00:00.000Z"

function revision(id: string) {
  return { commit: id, rulesCommit: id, rules: DIGEST, root: DIGEST }
}

function candidate(id: string): Candidate {
  return {
    ...revision(id),
    token: { epoch: 1_700_000_000_000, seq: 90_000 },
    policy: "0123456789abcdef",
    stage: 2,
    bound: ALL_NODES,
    selectors: [],
    expected: { count: 5000, nodes: DIGEST },
    since: AT,
    passed: null,
    view: false,
    hurried: false,
    skipped: [],
    word: null,
  }
}

function previous(id: string): PreviousRevision {
  return { ...revision(id), token: { epoch: 1_700_000_000_000, seq: 80_000 } }
}

function rejection(id: string, reason: string): Rejection {
  return { commit: id, rulesCommit: id, rules: DIGEST, seq: 9, code: "rollout/node-failed", reason, at: AT }
}

const COMMIT = "a".repeat(40)
const AT_REST: SourceRecord = {
  ...newRecord("release", { epoch: 5, seq: 7 }),
  ...revision(COMMIT),
}

const ADDED: { [what: string]: Partial<SourceRecord> } = {
  "a candidate": { candidate: candidate(COMMIT) },
  "what was in force before": { previous: previous(COMMIT) },
  "a rejection": { rejected: rejection(COMMIT, "node a: no") },
  "an approval of more than deletions": {
    approved: { commit: COMMIT, rulesCommit: null, rules: DIGEST, lifts: ["gate"] },
  },
}

describe("the format of a record with a rollout", () => {
  it.each(Object.entries(ADDED))("is 3 with %s, and comes back as it went in", (_, part) => {
    const record = { ...AT_REST, ...part }
    expect(JSON.parse(recordJson(record)).format).toBe(3)
    expect(readRecord(recordConfigMap("headrace", record))).toEqual(record)
  })

  it("is the lower one again once the rollout has left nothing, byte for byte", () => {
    const settings = { version: 1, digest: "x", rival: null }
    const before = { ...AT_REST, settings }
    const stored = recordJson({ ...before, candidate: null, previous: null, rejected: null })
    expect(JSON.parse(stored).format).toBe(2)
    expect(stored).not.toMatch(/candidate|previous|rejected/)
    const data = { "record.json": stored }
    expect(recordJson(readRecord({ metadata: { namespace: "headrace", name: "release" }, data }))).toBe(
      stored,
    )
  })

  it("refuses a candidate with a field more, or one less", () => {
    const stored = JSON.parse(recordJson({ ...AT_REST, candidate: candidate(COMMIT) }))
    for (const wrong of [
      { ...stored.candidate, more: 1 },
      { ...stored.candidate, bound: undefined },
    ]) {
      const data = { "record.json": JSON.stringify({ ...stored, candidate: wrong }) }
      expect(() => readRecord({ metadata: { namespace: "headrace", name: "release" }, data })).toThrow(
        expect.objectContaining({ code: "record/invalid" }),
      )
    }
  })
})

it("counts the candidate among the tokens of a record", () => {
  const record = { ...AT_REST, candidate: candidate(COMMIT) }
  expect(largestToken(record)).toEqual(record.candidate.token)
  expect(epochInForce(record)).toBe(record.candidate.token.epoch)
})

describe("a full record with a rollout", () => {
  const text = fc.string({ maxLength: 400, unit: "binary" })
  const failure = fc.record({ target: text, reason: text, since: fc.constant(AT) })
  const id = fc.constantFrom("a".repeat(40), "a".repeat(64))

  it("stays under its limit, and what the rollout decides by never gives way", () => {
    const word = fc.option(fc.record({ by: text, reason: text, at: fc.constant(AT) }))
    const selectors = [{ "node.example.com/pool": "x".repeat(63) }, { zone: "y".repeat(63) }]
    fc.assert(
      fc.property(id, fc.array(failure, { maxLength: 30 }), text, word, (commit, failed, message, said) => {
        const skipped = ["east".repeat(25), "west".repeat(25)]
        const whole = openIntent(
          {
            ...AT_REST,
            ...revision(commit),
            failed,
            failures: DIGEST,
            settings: { version: 1, digest: DIGEST, rival: DIGEST },
            hold: { commit, rulesCommit: commit, by: message, reason: message, until: AT },
            approved: { commit, rulesCommit: commit, rules: DIGEST, lifts: ["guard", "gate"] },
            stopped: {
              code: "guard/deleted",
              message,
              commit,
              judged: { rulesCommit: commit, rules: DIGEST, since: AT },
            },
            deletions: Array.from({ length: 6 }, () => ({ at: 1_700_000_000_000, keys: 900, configMaps: 9 })),
            history: Array.from({ length: 3 }, () => ({ commit, root: DIGEST, token: AT_REST.token })),
            candidate: { ...candidate(commit), selectors, skipped, word: said },
            previous: previous(commit),
            rejected: rejection(commit, message),
          },
          { token: { epoch: 5, seq: 8 }, commit, rulesCommit: commit, rules: DIGEST, targets: "all" },
        )
        expect(Buffer.byteLength(recordJson(whole))).toBeLessThan(RECORD_LIMIT_BYTES)
        const fitted = fitRecord(whole)
        const { word: _w, ...decides } = fitted.candidate ?? candidate("")
        expect({ ...candidate(commit), selectors, skipped }).toMatchObject(decides)
        expect(fitted.previous).toEqual(whole.previous)
        expect({ ...fitted.rejected, reason: "" }).toEqual(rejection(commit, ""))
        expect(fitted).toMatchObject({ approved: whole.approved, settings: whole.settings, failures: DIGEST })
      }),
    )
  })
})
