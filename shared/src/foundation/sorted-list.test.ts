import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { compareText } from "./canonical-json.ts"
import { compareSorted, editSorted, findSorted } from "./sorted-list.ts"

interface Item {
  key: string
  value: number
}
const keyOf = ({ key }: Item) => key
const isSame = (one: Item, other: Item) => one.value === other.value
const key = fc.constantFrom(..."abcdefghijklmnop")
const list = fc
  .uniqueArray(fc.record({ key, value: fc.nat(2) }), { selector: keyOf })
  .map((items) => items.sort((a, b) => compareText(a.key, b.key)))

describe("a sorted list", () => {
  it("becomes the other one by the differences to it, and keeps what both have", () => {
    fc.assert(
      fc.property(list, list, (before, after) => {
        const differences = compareSorted(before, after, keyOf, isSame)
        const removed = differences.flatMap((each) => each.before?.key ?? [])
        const added = differences.flatMap((each) => each.after ?? [])

        const edited = editSorted(before, keyOf, removed, added)

        expect(edited).toEqual(after)
        const kept = before.filter((item) => !removed.includes(item.key))
        expect(edited.filter((item) => before.includes(item))).toEqual(kept)
        for (const each of differences) expect(each.before?.value).not.toBe(each.after?.value)
      }),
    )
  })

  it("finds what it has by its key, and nothing else", () => {
    fc.assert(
      fc.property(list, key, (items, wanted) => {
        expect(findSorted(items, keyOf, wanted)).toBe(items.find((item) => item.key === wanted))
      }),
    )
  })

  it("takes what is added after others of its key, and drops all of a key that is removed", () => {
    const items = [
      { key: "a", value: 1 },
      { key: "a", value: 2 },
      { key: "b", value: 3 },
    ]
    expect(editSorted(items, keyOf, ["a"], [{ key: "b", value: 4 }]).map(({ value }) => value)).toEqual([
      3, 4,
    ])
    expect(editSorted(items, keyOf, ["c"], [])).toEqual(items)
    expect(editSorted(items, keyOf, [], [])).toBe(items)
  })

  it("takes many edits together", () => {
    const items = Array.from({ length: 40_000 }, (_, value) => ({ key: String(100_000 + value), value }))
    const odd = items.filter(({ value }) => value % 2 === 1)
    const even = items.filter(({ value }) => value % 2 === 0)
    expect(editSorted(even, keyOf, [], odd)).toEqual(items)
    expect(editSorted(items, keyOf, odd.map(keyOf), [])).toEqual(even)
  })
})
