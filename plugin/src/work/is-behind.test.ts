import { newRecord, type SourceRecord } from "@headrace/shared/record/record"
import { describe, expect, it } from "vitest"
import { isBehind } from "./is-behind.ts"

const NOW = Date.UTC(2026, 0, 1)
const [A, B, RULES, NEW_RULES] = ["a", "b", "c", "d"].map((digit) => digit.repeat(40)) as [
  string,
  string,
  string,
  string,
]
const SHOWN: SourceRecord = { ...newRecord("jobs", { epoch: 1, seq: 2 }), commit: A, rulesCommit: RULES }
const STOPPED = { code: "guard/deleted-keys", message: "", commit: B }
const HOLD = { commit: A, rulesCommit: RULES, by: "someone", reason: "", until: null }

describe("a record is behind", () => {
  it.each<[string, Partial<SourceRecord>, string, string | undefined, boolean]>([
    ["at its goal", {}, A, RULES, false],
    ["at another commit", {}, B, RULES, true],
    ["stopped at the tip", { stopped: STOPPED }, B, RULES, false],
    ["under other rules, which come from another source", {}, A, NEW_RULES, true],
    ["while the tip of its rules was not read yet", {}, A, undefined, false],
    ["held with its rules", { hold: HOLD }, B, NEW_RULES, false],
    ["with rules of its own", { rulesCommit: null }, A, NEW_RULES, false],
    [
      "with work that was begun and not ended",
      { intents: [{ token: { epoch: 2, seq: 2 }, commit: A, rulesCommit: RULES, targets: [] }] },
      A,
      RULES,
      true,
    ],
  ])("%s", (_, changes, commit, rules, expected) => {
    expect(isBehind({ ...SHOWN, ...changes }, { commit, rules }, NOW)).toBe(expected)
  })
})
