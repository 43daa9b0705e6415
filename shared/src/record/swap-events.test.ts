import { describe, expect, it } from "vitest"
import { newRecord, type SourceRecord } from "./record.ts"
import { eventsOfSwap } from "./swap-events.ts"

const A = "a".repeat(40)
const B = "b".repeat(40)
const AT = "2026-01-01T00:00:00Z"
const START: SourceRecord = { ...newRecord("release", { epoch: 1, seq: 7 }), commit: A }
const HOLD = { commit: A, rulesCommit: null, by: "ann", reason: "freeze", until: null }
const GUARD = { code: "guard/deleted-keys", message: "12 of 20 keys", commit: B }

/** `TYPE REASON: MESSAGE` of each event of a change. */
function events(change: Partial<SourceRecord>, before: Partial<SourceRecord> = {}): string[] {
  const first = { ...START, ...before }
  return eventsOfSwap(first, { ...first, ...change }).map(
    ({ type, reason, message }) => `${type} ${reason}: ${message}`,
  )
}

describe("the events of a swap", () => {
  it("report a commit that is published, the first one as well, and nothing of intents", () => {
    const token = { epoch: 1, seq: 8 }
    expect(events({ commit: B, token })).toEqual(["Normal Published: shows bbbbbbbbbbbb at token 1.8"])
    expect(eventsOfSwap(undefined, START)).toMatchObject([{ reason: "Published" }])
    expect(eventsOfSwap(undefined, newRecord("release", token))).toEqual([])
    expect(events({ intents: [{ token, commit: B, rulesCommit: null, targets: "all" }] })).toEqual([])
  })

  it("report a hold, its change and its end, and a rewind", () => {
    const held = "Normal Held: held at aaaaaaaaaaaa by ann until released: freeze"
    expect(events({ hold: HOLD })).toEqual([held])
    expect(events({ hold: HOLD }, { hold: HOLD })).toEqual([])
    expect(events({ hold: { ...HOLD, until: AT } }, { hold: HOLD })).toEqual([
      `Normal Held: held at aaaaaaaaaaaa by ann until ${AT}: freeze`,
    ])
    expect(events({ hold: null }, { hold: HOLD })).toEqual(["Normal Released: follows its branch again"])
    const rewound = { commit: A, token: { epoch: 2, seq: 7 } }
    expect(events(rewound, { commit: B, hold: HOLD })).toEqual([
      "Normal Rewound: shows aaaaaaaaaaaa at token 2.7 again, as ann ordered: freeze",
    ])
  })

  it("report the guard and other stops once each, an approval, and the return", () => {
    expect(events({ stopped: GUARD })).toEqual([
      "Warning StoppedByGuard: stopped at bbbbbbbbbbbb, last good stays: 12 of 20 keys [guard/deleted-keys]",
    ])
    expect(events({ stopped: { ...GUARD, message: "13 of 20 keys" } }, { stopped: GUARD })).toEqual([])
    expect(events({ stopped: { ...GUARD, code: "rules/invalid" } })[0]).toMatch(/^Warning Stopped:/)
    expect(events({ approved: { commit: B, rulesCommit: null, rules: null } }, { stopped: GUARD })).toEqual([
      "Normal Approved: the deletions of bbbbbbbbbbbb are approved",
    ])
    expect(events({ stopped: null }, { stopped: GUARD })).toEqual([
      "Normal Returned: no longer stopped (guard/deleted-keys)",
    ])
  })

  it("report targets that fail, the first three by name, and their recovery", () => {
    const failed = ["a", "b", "c", "d"].map((name) => ({ target: `ci/${name}`, reason: "full\n", since: AT }))
    const found = events({ failed, failedMore: 5 }, { failed: failed.slice(0, 0) })
    expect(found).toHaveLength(3)
    expect(found[0]).toBe("Warning TargetFailed: ConfigMap ci/a keeps its last good content: full\\n")
    expect(found[2]).toMatch(/ \(and 6 more\)$/)
    expect(events({ failed }, { failed })).toEqual([])
    expect(events({ failed: [] }, { failed })).toEqual(["Normal Recovered: every target is written again"])
  })

  it("report writes of other programs once", () => {
    const foreign = [{ target: "ci/jobs", writer: "kubectl-edit", at: AT }]
    expect(events({ foreign })).toEqual([
      "Warning ForeignWrite: kubectl-edit changed ConfigMap ci/jobs; it is repaired",
    ])
    expect(events({ foreign }, { foreign })).toEqual([])
  })
})
