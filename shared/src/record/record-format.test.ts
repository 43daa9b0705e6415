import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { fitRecord, RECORD_LIMIT_BYTES, recordJson } from "./fit-record.ts"
import { openIntent } from "./intents.ts"
import { newRecord, type SourceRecord } from "./record.ts"
import { readRecord, recordConfigMap } from "./record-config-map.ts"

const COMMIT = "a".repeat(40)
const DIGEST = "d".repeat(64)
const AT_REST: SourceRecord = {
  ...newRecord("release", { epoch: 5, seq: 7 }),
  commit: COMMIT,
  rules: DIGEST,
  root: DIGEST,
}

/** As the programs of commit c91ba4d wrote it: an intent left open, a commit approved, a source stopped. */
const WRITTEN_BY_FORMAT_1 = {
  ...JSON.parse(recordJson(AT_REST)),
  approved: COMMIT,
  intents: [{ token: { epoch: 5, seq: 8 }, commit: COMMIT, rulesCommit: null, targets: ["ci/a"] }],
  stopped: { code: "guard/deleted-keys", message: "too many", commit: COMMIT },
}

/** The members that the reader of c91ba4d knows; it refuses any other. */
const KNOWN_TO_FORMAT_1 =
  "approved commit failed failedMore foreign format history hold intents root rules rulesCommit source stopped token".split(
    " ",
  )

const NEWER: { [what: string]: Partial<SourceRecord> } = {
  approved: { approved: { commit: COMMIT, rulesCommit: null, rules: DIGEST } },
  deletions: { deletions: [{ at: 1, keys: 2, configMaps: 0 }] },
  failures: { failures: DIGEST },
  settings: { settings: { version: 1, digest: "x", rival: null } },
  "a guard's stop": {
    stopped: {
      code: "c",
      message: "m",
      commit: COMMIT,
      judged: { rulesCommit: null, rules: DIGEST, since: "" },
    },
  },
}

describe("the format of a record", () => {
  it("is 1 at rest, with the members of format 1 alone", () => {
    const stored = JSON.parse(recordJson(AT_REST))
    expect(stored.format).toBe(1)
    expect(Object.keys(stored)).toEqual(KNOWN_TO_FORMAT_1)
    expect(recordConfigMap("headrace", AT_REST).metadata.annotations).toEqual({ "headrace.dev/format": "1" })
    expect(readRecord(recordConfigMap("headrace", AT_REST))).toEqual(AT_REST)
  })

  it.each(Object.entries(NEWER))("is 2 with %s, and comes back as it went in", (_, part) => {
    const record = { ...AT_REST, ...part }
    expect(JSON.parse(recordJson(record)).format).toBe(2)
    expect(readRecord(recordConfigMap("headrace", record))).toEqual(record)
  })

  it("is read as the version before wrote it: its approval is for no rules that are known", () => {
    const data = { "record.json": JSON.stringify(WRITTEN_BY_FORMAT_1) }
    const record = readRecord({ metadata: { namespace: "headrace", name: "release" }, data })
    expect(record.approved).toEqual({ commit: COMMIT, rulesCommit: null, rules: null })
    expect(record.intents[0]).not.toHaveProperty("rules")
    expect(record).toMatchObject({ stopped: { code: "guard/deleted-keys" }, deletions: [], failures: null })
  })

  it("stays under its limit with all that format 2 adds, and forgets no deletion", () => {
    const text = fc.string({ maxLength: 300, unit: "binary" })
    const deletion = fc.record({ at: fc.nat(), keys: fc.nat(999), configMaps: fc.nat(9) })
    const failure = fc.record({ target: text, reason: text, since: fc.constant("2026-01-01T00:00:00.000Z") })
    fc.assert(
      fc.property(
        fc.array(deletion, { maxLength: 6 }),
        fc.array(failure, { maxLength: 30 }),
        text,
        (deletions, failed, message) => {
          const intent = { token: { epoch: 5, seq: 8 }, commit: COMMIT, rulesCommit: COMMIT, rules: DIGEST }
          const stopped = {
            code: "c",
            message,
            commit: COMMIT,
            judged: { rulesCommit: COMMIT, rules: DIGEST, since: "" },
          }
          const hold = { commit: COMMIT, rulesCommit: COMMIT, by: message, reason: message, until: null }
          const whole = { ...AT_REST, ...NEWER.approved, ...NEWER.settings, ...NEWER.failures }
          const record = openIntent(
            { ...whole, deletions, failed, stopped, hold },
            { ...intent, targets: "all" },
          )
          expect(Buffer.byteLength(recordJson(record))).toBeLessThan(RECORD_LIMIT_BYTES)
          const fitted = fitRecord(record)
          const sum = ({ deletions: list }: SourceRecord) => list.reduce((all, { keys }) => all + keys, 0)
          expect(sum(fitted)).toBe(sum(record))
          expect(fitted).toMatchObject({
            approved: whole.approved,
            settings: whole.settings,
            failures: DIGEST,
          })
        },
      ),
    )
  })
})
