import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type GuardLimits, judgeChange, type PastDeletions } from "./judge-change.ts"
import { type GuardedKey, measureChange } from "./measure-change.ts"
import { bounded, MOST_PAST, pastAfter } from "./past-deletions.ts"

const LIMITS: GuardLimits = { deletedKeys: 0.2, deletedConfigMaps: 0.1, atLeast: 20 }
const HOUR = 3_600_000
const NOW = Date.UTC(2026, 0, 1)
const NONE: ReadonlySet<string> = new Set()

function keys(count: number, { from = 0, prefix = "", content = "c" } = {}): GuardedKey[] {
  return Array.from({ length: count }, (_, index) => ({
    key: `${prefix}${from + index}`,
    content: `${content}${from + index}`,
    empty: false,
  }))
}

function codeOf(
  before: { [target: string]: GuardedKey[] | number },
  after: { [target: string]: GuardedKey[] },
  past: PastDeletions[] = [],
  limits = LIMITS,
): string | undefined {
  const size = measureChange(new Map(Object.entries(before)), new Map(Object.entries(after)), NONE)
  return judgeChange(size, limits, past, NOW)?.code
}

describe("the size of a change", () => {
  it("counts keys that go, and keys that stay with nothing in them", () => {
    const before = keys(10)
    const after = before.slice(4).map((one) => (one.key === "9" ? { ...one, empty: true } : one))
    expect(measureChange(new Map([["ci/a", before]]), new Map([["ci/a", after]]), NONE)).toMatchObject({
      keys: 10,
      deletedKeys: 5,
      emptiedKeys: 1,
      lostConfigMaps: 0,
    })
  })

  it("calls a key renamed whose content stays under a new one of the same target, each new one once", () => {
    const before = keys(60)
    const after = keys(60, { prefix: "moved-" })
    const moved = measureChange(new Map([["ci/a", before]]), new Map([["ci/a", after]]), NONE)
    expect(moved).toMatchObject({ deletedKeys: 0, lostConfigMaps: 0 })
    expect(moved.renamed).toHaveLength(60)
    expect(moved.renamed[0]).toEqual({ target: "ci/a", from: "0", to: "moved-0" })
    const same = keys(3).map((one) => ({ ...one, content: "same" }))
    const one = [{ key: "new", content: "same", empty: false }]
    expect(measureChange(new Map([["ci/a", same]]), new Map([["ci/a", one]]), NONE).deletedKeys).toBe(2)
    expect(
      measureChange(new Map([["ci/a", before]]), new Map([["ci/b", before]]), NONE).deletedKeys,
      "what moves to another target is gone for the readers of this one",
    ).toBe(60)
  })

  it("takes no content that is not known for that of another key", () => {
    const before = keys(2).map((one) => ({ ...one, content: undefined }))
    const after = keys(2, { prefix: "b" }).map((one) => ({ ...one, content: undefined }))
    expect(measureChange(new Map([["ci/a", before]]), new Map([["ci/a", after]]), NONE).deletedKeys).toBe(2)
  })

  it("never says more than there is, and nothing of what is kept", () => {
    const entry = fc.record({
      key: fc.constantFrom("a", "b", "c", "d", "e"),
      content: fc.constantFrom("x", "y"),
      empty: fc.boolean(),
    })
    const target = fc.uniqueArray(entry, { selector: ({ key }) => key })
    const targets = fc.dictionary(fc.constantFrom("ci/1", "ci/2", "ci/3"), target)
    fc.assert(
      fc.property(targets, targets, (before, after) => {
        const [held, next] = [new Map(Object.entries(before)), new Map(Object.entries(after))]
        const size = measureChange(held, next, NONE)
        expect(size.deletedKeys + size.renamed.length).toBeLessThanOrEqual(size.keys)
        expect(size.lostOfSeveral).toBeLessThanOrEqual(size.lostConfigMaps)
        expect(size.lostConfigMaps).toBeLessThanOrEqual(size.configMaps)
        expect(measureChange(held, held, NONE)).toMatchObject({
          deletedKeys: 0,
          renamed: [],
          lostConfigMaps: 0,
        })
        expect(measureChange(held, next, new Set(held.keys()))).toMatchObject({ deletedKeys: 0, renamed: [] })
      }),
    )
  })
})

describe("the guard's judgement", () => {
  it("lets pass what stays within the shares, and what a rename keeps", () => {
    const many = { "ci/a": keys(200), "ci/b": keys(5) }
    expect(codeOf(many, { ...many, "ci/a": keys(170) })).toBeUndefined()
    expect(codeOf(many, { ...many, "ci/a": keys(150) })).toBe("guard/deleted-keys")
    expect(codeOf(many, { ...many, "ci/a": keys(200, { prefix: "moved-" }) })).toBeUndefined()
  })

  it("judges contents that become nothing as deletions", () => {
    const before = keys(60)
    expect(codeOf({ "ci/a": before }, { "ci/a": before.map((one) => ({ ...one, empty: true })) })).toBe(
      "guard/deleted-keys",
    )
  })

  it("does not let the floor hide that a target of several keys loses all of them", () => {
    const rest = { "ci/b": keys(100) }
    expect(codeOf({ ...rest, "ci/a": keys(20) }, rest)).toBe("guard/deleted-config-maps")
    expect(codeOf({ ...rest, "ci/a": 3 }, rest)).toBe("guard/deleted-config-maps")
    expect(
      codeOf({ ...rest, "ci/a": keys(20) }, { ...rest, "ci/a": keys(1, { prefix: "README", content: "r" }) }),
    ).toBe("guard/deleted-config-maps")
    expect(codeOf({ ...rest, "ci/a": keys(2) }, rest), "one or two keys are exempt").toBeUndefined()
    expect(codeOf({ ...rest, "ci/a": keys(20) }, { ...rest, "ci/a": keys(1) }), "one stays").toBeUndefined()
  })

  it("takes blanks that stay for nothing that a target keeps", () => {
    const rest = { "ci/b": keys(100) }
    const blank = keys(5, { prefix: "keep", content: "" }).map((one) => ({ ...one, empty: true }))
    const before = { ...rest, "ci/a": [...keys(10), ...blank] }
    const emptied = keys(10).map((one) => ({ ...one, empty: true }))
    expect(codeOf(before, { ...rest, "ci/a": blank })).toBe("guard/deleted-config-maps")
    expect(codeOf(before, { ...rest, "ci/a": [...emptied, ...blank] })).toBe("guard/deleted-config-maps")
    expect(codeOf(before, { ...rest, "ci/a": [...keys(1), ...blank] }), "one stays").toBeUndefined()
    expect(codeOf(before, { ...rest, "ci/a": keys(10) }), "blanks go").toBeUndefined()
    const few = { ...rest, "ci/a": [...keys(2), ...blank] }
    expect(codeOf(few, { ...rest, "ci/a": blank }), "two keys are lost").toBeUndefined()
    const other = keys(1, { prefix: "other", content: "o" })
    expect(codeOf(few, { ...rest, "ci/a": other }), "one takes the place of seven").toBe(
      "guard/deleted-config-maps",
    )
    expect(codeOf({ ...rest, "ci/a": blank }, rest), "it held no more").toBe("guard/deleted-config-maps")
    const compared = { before: keys(10), after: [], same: 5, staysFilled: false }
    const size = (held: typeof compared) => measureChange(new Map([["ci/a", held]]), new Map(), NONE)
    expect(size(compared)).toMatchObject({ deletedKeys: 10, lostOfSeveral: 1 })
    expect(size({ ...compared, staysFilled: true })).toMatchObject({ deletedKeys: 10, lostOfSeveral: 0 })
    expect(size({ ...compared, before: blank })).toMatchObject({ deletedKeys: 5, lostOfSeveral: 0 })
  })

  it("adds up what was deleted within the window, and forgets what is older", () => {
    const past = (hours: number) => [{ at: NOW - hours * HOUR, keys: 20, configMaps: 0 }]
    const [before, after] = [{ "ci/a": keys(100) }, { "ci/a": keys(80) }]
    expect(codeOf(before, after)).toBeUndefined()
    expect(codeOf(before, after, past(1))).toBe("guard/deleted-keys")
    expect(codeOf(before, after, past(7))).toBeUndefined()
    expect(codeOf(before, after, past(1), { ...LIMITS, window: 0 })).toBeUndefined()
    expect(codeOf(before, after, past(-1)), "a clock that was ahead forgets nothing").toBe(
      "guard/deleted-keys",
    )
    expect(codeOf(before, before, past(1)), "deletes nothing itself").toBeUndefined()
  })
})

describe("past deletions", () => {
  const size = measureChange(new Map([["ci/a", keys(9)]]), new Map(), NONE)

  it("begin with the latest, end with the window, start over with an approval", () => {
    const past = [
      { at: NOW - HOUR, keys: 1, configMaps: 0 },
      { at: NOW - 7 * HOUR, keys: 2, configMaps: 0 },
    ]
    const change = { size, approved: false, window: 6 * HOUR, atLeast: 20, now: NOW }
    expect(pastAfter(past, change)).toEqual([{ at: NOW, keys: 9, configMaps: 1 }, past[0]])
    expect(pastAfter(past, { ...change, approved: true })).toEqual([])
    expect(pastAfter([{ at: NOW + HOUR, keys: 1, configMaps: 0 }], { ...change, size: undefined })).toEqual([
      { at: NOW, keys: 1, configMaps: 0 },
    ])
  })

  it("count ConfigMaps as they were judged: beyond the floor those of one key too", () => {
    const ones = (count: number) => Object.fromEntries(keys(count).map((one) => [`ci/${one.key}`, [one]]))
    const rest = { "ci/rest": keys(1000, { prefix: "r" }) }
    const measured = (from: number, to: number) =>
      measureChange(new Map(Object.entries(ones(from))), new Map(Object.entries(ones(to))), NONE)
    const change = { approved: false, window: 6 * HOUR, atLeast: 20, now: NOW }
    const few = pastAfter([], { ...change, size: measured(400, 385) })
    expect(few).toMatchObject([{ keys: 15, configMaps: 0 }])
    const more = pastAfter(few, { ...change, size: measured(385, 355) })
    expect(more).toMatchObject([{ keys: 30, configMaps: 30 }, { keys: 15 }])
    const [before, after] = [
      { ...rest, ...ones(355) },
      { ...rest, ...ones(335) },
    ]
    expect(codeOf(before, after)).toBeUndefined()
    expect(codeOf(before, after, more)).toBe("guard/deleted-config-maps")
  })

  it("stay few, and lose none of what they count", () => {
    const one = fc.record({ at: fc.nat(), keys: fc.nat(1000), configMaps: fc.nat(9) })
    fc.assert(
      fc.property(fc.array(one, { maxLength: 30 }), (list) => {
        const past = list.sort((a, b) => b.at - a.at)
        const kept = bounded(past)
        expect(kept.length).toBeLessThanOrEqual(MOST_PAST)
        const sum = (each: PastDeletions[]) => each.reduce((all, { keys }) => all + keys, 0)
        expect(sum(kept)).toBe(sum(past))
        expect(kept.slice(0, MOST_PAST - 1)).toEqual(past.slice(0, MOST_PAST - 1))
      }),
    )
  })
})
