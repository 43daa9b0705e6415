import { describe, expect, it } from "vitest"
import type { ObjectMeta } from "../../foundation/config-map.ts"
import { newRecord } from "../../record/record.ts"
import { latestFirst, marksOfRoot, mostEpoch, rootMarks } from "./last-roots.ts"

const DAY = 24 * 3_600_000
const NOON = Date.parse("2026-01-01T12:00:00Z")
const AHEAD = NOON + 40 * DAY
const MOST = NOON + DAY

/** A root of this epoch and seq that the API server made at this time. */
function root(name: string, epoch: number, seq: number, made: number): ObjectMeta {
  const annotations = rootMarks("release", { epoch, seq })
  const creationTimestamp = new Date(made).toISOString()
  return { name, namespace: "headrace", annotations, creationTimestamp }
}

describe("the latest root of a source", () => {
  it("is that of the largest token, whenever the API server made it", () => {
    const roots = [root("first", NOON, 3, NOON), root("again", NOON + 1, 1, NOON - DAY)]
    expect(namesOf(roots)).toEqual(["again", "first"])
  })

  it("is no root of a lost record that a clock far ahead had begun, once another record has followed", () => {
    const before = root("before", NOON - DAY, 9, NOON - DAY)
    const ahead = [root("ahead 1", AHEAD, 1, NOON), root("ahead 2", AHEAD + 1, 1, NOON + 5000)]
    const after = root("after", NOON + 60_000, 2, NOON + 61_000)

    expect(namesOf([before, ...ahead, after])).toEqual(["after", "ahead 2", "ahead 1", "before"])
    expect(namesOf([before, ...ahead]), "where none has followed").toEqual(["ahead 2", "ahead 1", "before"])
  })

  it("is one that an operator has gone back to in an epoch far ahead, though it was made with its record", () => {
    const record = NOON + 100
    const back = root("back", AHEAD, 1, NOON)
    expect(namesOf([root("newer", record, 2, NOON + 5000), back])).toEqual(["back", "newer"])
  })

  it("is none whose marks are not as we write them", () => {
    const odd = root("odd", NOON, 1, NOON)
    const annotations = { ...odd.annotations, "headrace.dev/root-token": "x" }
    expect(namesOf([{ ...odd, annotations }])).toEqual([])
  })
})

describe("the marks of a root", () => {
  it("stay at a larger token, but not at one of a lost record that a clock far ahead had begun", () => {
    const { areOn } = marksOfRoot("release", { epoch: NOON, seq: 2 }, MOST)
    expect(areOn(rootMarks("release", { epoch: NOON, seq: 1 }))).toBe(false)
    expect(areOn(rootMarks("release", { epoch: NOON + 1, seq: 1 }))).toBe(true)
    expect(areOn(rootMarks("release", { epoch: AHEAD, seq: 1 }))).toBe(false)
    expect(areOn(rootMarks("other", { epoch: NOON, seq: 2 }))).toBe(false)
  })

  it("stay where our own record is in an epoch that far ahead", () => {
    const { areOn } = marksOfRoot("release", { epoch: AHEAD, seq: 1 }, AHEAD)
    expect(areOn(rootMarks("release", { epoch: AHEAD, seq: 2 }))).toBe(true)
  })
})

describe("the largest epoch of a root in force", () => {
  const clock = { now: () => AHEAD, sleep: async () => {} }
  const blank = newRecord("release", { epoch: AHEAD, seq: 0 })
  function most(record: typeof blank, run: { recordMadeAt?: number; beyond?: typeof blank.token }): number {
    const { beyond, ...made } = run
    return mostEpoch({ ports: { clock, ...made }, beyond }, record)
  }

  it("is a day beyond when the API server made a record that shows nothing, whatever our clock says", () => {
    expect(most(blank, { recordMadeAt: NOON })).toBe(MOST)
    expect(most(blank, {}), "where that is not known").toBe(AHEAD + DAY)
  })

  it("is the record's own where it shows a commit, and that of a later one where it was put back", () => {
    expect(most({ ...blank, commit: "c".repeat(40) }, { recordMadeAt: NOON })).toBe(AHEAD)
    const beyond = { epoch: NOON + 3 * DAY, seq: 1 }
    expect(most(blank, { recordMadeAt: NOON, beyond })).toBe(beyond.epoch)
  })
})

function namesOf(roots: readonly ObjectMeta[]): string[] {
  return latestFirst(roots, MOST).map(({ name }) => name)
}
