import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { fitRecord, RECORD_LIMIT_BYTES } from "./fit-record.ts"
import { goal } from "./goal.ts"
import { epochInForce, isBegun, openIntent, unfinishedTargets } from "./intents.ts"
import { AHEAD_REASON, type FailedTarget, type Intent, newRecord, SourceRecord } from "./record.ts"
import { committedAt, readRecord, recordConfigMap } from "./record-config-map.ts"
import { compareTokens } from "./token.ts"

const COMMIT = "a".repeat(40)

function intent(seq: number, targets: Intent["targets"], epoch = 0): Intent {
  return { token: { epoch, seq }, commit: COMMIT, rulesCommit: null, targets }
}

describe("record", () => {
  it("comes back from its ConfigMap as it went in", () => {
    const record = openIntent(newRecord("release", { epoch: 2, seq: 7 }), intent(8, ["ci/a"], 2))
    expect(readRecord(recordConfigMap("headrace", record))).toEqual(record)
  })

  it("carries when its commit was made, which counts for no other commit", () => {
    const record = { ...newRecord("release", { epoch: 0, seq: 1 }), commit: COMMIT }
    const configMap = recordConfigMap("headrace", record, { committedAt: 1_700_000_000_000 })
    expect(configMap.metadata.annotations).toMatchObject({
      "headrace.dev/committed": `${COMMIT} 2023-11-14T22:13:20.000Z`,
    })
    expect(committedAt(configMap, record)).toBe(1_700_000_000_000)
    // A writer of an earlier version keeps the annotation as it is.
    expect(committedAt(configMap, { ...record, commit: "b".repeat(40) })).toBeUndefined()
    expect(committedAt(recordConfigMap("headrace", record), record)).toBeUndefined()
  })

  it("knows a target ahead of it from the stored form, which has no field for that", () => {
    const failed: FailedTarget[] = [
      { target: "ci/a", reason: AHEAD_REASON, since: "", ahead: true },
      { target: "ci/b", reason: "kube/forbidden: no", since: "" },
    ]
    const stored = recordConfigMap("headrace", { ...newRecord("release", { epoch: 0, seq: 0 }), failed })
    expect(stored.data?.["record.json"]).not.toContain('"ahead"')
    expect(readRecord(stored).failed).toEqual(failed)
  })

  it("refuses a newer format by its number, whatever else it holds", () => {
    const configMap = recordConfigMap("headrace", newRecord("release", { epoch: 0, seq: 0 }))
    configMap.data = { "record.json": '{"format":4,"novelty":true}' }
    expect(() => readRecord(configMap)).toThrow(expect.objectContaining({ code: "record/newer-format" }))
  })

  it("names what is not a record", () => {
    const configMap = recordConfigMap("headrace", newRecord("release", { epoch: 0, seq: 0 }))
    configMap.data = { "record.json": "{" }
    expect(() => readRecord(configMap)).toThrow(expect.objectContaining({ code: "record/invalid" }))
  })

  it("stays under its limit, valid, whatever it is given", () => {
    const text = fc.string({ maxLength: 400, unit: "grapheme" })
    const failures = fc.array(fc.record({ target: text, reason: text, since: text }), { maxLength: 60 })
    const targets = fc.array(fc.string({ maxLength: 80 }), { maxLength: 300 })
    fc.assert(
      fc.property(failures, targets, text, (failed, names, reason) => {
        const record: SourceRecord = {
          ...openIntent(newRecord("release", { epoch: 0, seq: 0 }), intent(3, names)),
          failed,
          hold: { commit: COMMIT, rulesCommit: null, by: "someone", reason, until: null },
          stopped: { code: "rules/invalid", message: reason, commit: COMMIT },
        }
        const fitted = fitRecord(record)
        expect(Buffer.byteLength(JSON.stringify(fitted))).toBeLessThan(RECORD_LIMIT_BYTES)
        expect(SourceRecord.parse(fitted)).toEqual(fitted)
        expect(fitted.failed.length + fitted.failedMore).toBe(failed.length)
        const unfinished = unfinishedTargets(fitted)
        if (unfinished !== "all") for (const name of names) expect(unfinished.has(name)).toBe(true)
      }),
    )
  })
})

describe("a record of a cluster where nothing can be written", () => {
  it("is cut in no time to speak of, however many targets failed", () => {
    const reason = "kube/forbidden: configmaps is forbidden: the account cannot create them here"
    const failed = Array.from({ length: 20_000 }, (_, index) => ({
      target: `ci/${index}`,
      reason,
      since: "",
    }))
    const fitted = fitRecord({ ...newRecord("release", { epoch: 0, seq: 0 }), failed })
    expect(fitted.failed.map(({ target }) => target)).toEqual(
      failed.slice(0, fitted.failed.length).map(({ target }) => target),
    )
    expect(fitted.failed.length).toBeGreaterThan(0)
    expect(fitted.failed.length + fitted.failedMore).toBe(failed.length)
  })
})

describe("intents", () => {
  it("take in the targets of those they overtake", () => {
    const record = openIntent(
      openIntent(newRecord("s", { epoch: 0, seq: 1 }), intent(2, ["ci/a"])),
      intent(3, ["ci/b"]),
    )
    expect(record.intents).toEqual([intent(3, ["ci/a", "ci/b"])])
    expect(isBegun(record, intent(2, []))).toBe(false)
    expect(isBegun(record, intent(3, []))).toBe(true)
  })

  it("leave a larger one alone and report its epoch", () => {
    const record = openIntent(
      openIntent(newRecord("s", { epoch: 0, seq: 1 }), intent(2, [], 1)),
      intent(9, "all"),
    )
    expect(record.intents).toEqual([intent(9, "all"), intent(2, [], 1)])
    expect(epochInForce(record)).toBe(1)
    expect(unfinishedTargets(record)).toBe("all")
  })
})

describe("goal", () => {
  const hold = {
    commit: "b".repeat(40),
    rulesCommit: null,
    by: "someone",
    reason: "",
    until: "2026-01-01T00:00:00Z",
  }

  it("is the tip without a hold, the held commit with one, the tip again once it has lapsed", () => {
    expect(goal(COMMIT, null, 0)).toBe(COMMIT)
    expect(goal(COMMIT, hold, Date.parse("2025-12-31T23:59:59Z"))).toBe(hold.commit)
    expect(goal(COMMIT, hold, Date.parse("2026-01-01T00:00:00Z"))).toBe(COMMIT)
    expect(goal(COMMIT, { ...hold, until: null }, Number.MAX_SAFE_INTEGER)).toBe(hold.commit)
  })
})

describe("compareTokens", () => {
  it("orders by epoch first", () => {
    expect(compareTokens({ epoch: 1, seq: 1 }, { epoch: 0, seq: 99 })).toBeGreaterThan(0)
    expect(compareTokens({ epoch: 1, seq: 1 }, { epoch: 1, seq: 2 })).toBeLessThan(0)
  })
})
