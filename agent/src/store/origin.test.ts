import { describe, expect, it } from "vitest"
import { floorOf, isAtFloor, type Origin, raiseFloors, revisionId } from "./origin.ts"

const NOTHING = { latest: [], others: [] }
const ZERO = { epoch: 0, seq: 0 }

function origin(source: string, seq: number, made?: [id: string, created: string], epoch = 0): Origin {
  const instance = made ? { id: made[0], created: made[1] } : null
  return { source, instance, revision: `${source}${seq}`, token: { epoch, seq } }
}

describe("floors of sources", () => {
  it("belong to each source, and stay when the path follows another one for a while", () => {
    const floors = [origin("a", 7), origin("b", 1), origin("c", 2)].reduce(
      (found, each) => raiseFloors(found, [each]),
      NOTHING as Parameters<typeof raiseFloors>[0],
    )

    expect(floorOf(floors, origin("a", 0)).token).toEqual({ epoch: 0, seq: 7 })
    expect(floorOf(floors, origin("b", 0)).token).toEqual({ epoch: 0, seq: 1 })
    expect(floorOf(floors, origin("d", 0)).token).toEqual(ZERO)
  })

  it("start again for an object that was made later, and refuse the one that it has replaced", () => {
    const first = origin("record x", 10, ["u1", "2026-01-01T00:00:00Z"], 2000)
    const second = origin("record x", 5, ["u2", "2026-01-02T00:00:00Z"], 1000)
    const older = origin("record x", 9, ["u0", "2025-01-01T00:00:00Z"], 3000)
    const before = raiseFloors(NOTHING, [first])

    expect(floorOf(before, second)).toEqual({ token: ZERO, isStale: false })
    const floors = raiseFloors(before, [second])
    expect(floorOf(floors, second)).toEqual({ token: second.token, isStale: false })
    expect(floorOf(floors, first)).toMatchObject({ isStale: true })
    expect(floorOf(floors, older)).toMatchObject({ isStale: true })
  })

  it("accept an object again that a backup has put back, once a writer has taken it beyond what replaced it", () => {
    const made = Date.parse("2026-01-02T00:00:00Z")
    const second = origin("record x", 5, ["u2", "2026-01-02T00:00:00Z"], made + 10)
    const first = (epoch: number) => origin("record x", 7, ["u1", "2026-01-01T00:00:00Z"], epoch)
    const shown = [first(made - 86_400_000), second].reduce(
      (floors, one) => raiseFloors(floors, [one]),
      NOTHING as Parameters<typeof raiseFloors>[0],
    )
    for (const floors of [raiseFloors(NOTHING, [second]), shown]) {
      expect(floorOf(floors, first(made - 86_400_000)).isStale, "as it was before").toBe(true)
      expect(floorOf(floors, first(made + 10)), "beyond it").toMatchObject({ isStale: false })
      const after = raiseFloors(floors, [first(made + 5000)])
      expect(floorOf(after, first(made + 5000))).toEqual({
        token: { epoch: made + 5000, seq: 7 },
        isStale: false,
      })
    }
  })

  it("accept it as it is where a clock was ahead when it was made: no writer can take it beyond what replaced it", () => {
    const made = Date.parse("2026-01-02T00:00:00Z")
    const first = origin("record x", 7, ["u1", "2026-01-01T00:00:00Z"], made + 40 * 86_400_000)
    const second = origin("record x", 9, ["u2", "2026-01-02T00:00:00Z"], made + 10)
    const floors = raiseFloors(raiseFloors(NOTHING, [first]), [second])

    expect(floorOf(floors, first)).toEqual({ token: first.token, isStale: false })
    const again = raiseFloors(floors, [first])
    expect(floorOf(again, second), "the later one is there after all").toEqual({
      token: second.token,
      isStale: false,
    })
  })

  it("know an object again under another name of its cluster, such as after a new certificate authority", () => {
    const floors = raiseFloors(NOTHING, [origin("record x in 1", 10, ["u1", "2026-01-01T00:00:00Z"])])

    const renamed = origin("record x in 2", 9, ["u1", "2026-01-01T00:00:00Z"])
    expect(floorOf(floors, renamed)).toEqual({ token: { epoch: 0, seq: 10 }, isStale: false })
  })

  it("forget sources of long ago, so that they do not grow, and never those of what is shown", () => {
    let floors = raiseFloors(NOTHING, [origin("first", 1)])
    for (let at = 0; at < 100; at += 1) floors = raiseFloors(floors, [origin(`s${at}`, 1), origin("kept", 9)])

    expect(floors.others.length).toBeLessThan(40)
    expect(floorOf(floors, origin("kept", 0)).token.seq).toBe(9)
  })

  it("let a revision repair what is shown only when its sources are the newest one's, and none is older", () => {
    const floors = raiseFloors(raiseFloors(NOTHING, [origin("a", 7)]), [origin("b", 2)])

    expect(isAtFloor(floors, [origin("b", 2)])).toBe(true)
    expect(isAtFloor(floors, [origin("b", 1)])).toBe(false)
    expect(isAtFloor(floors, [origin("a", 7)])).toBe(false)
    expect(isAtFloor(floors, [origin("b", 2), origin("a", 7)])).toBe(false)
  })
})

describe("the id of a revision", () => {
  const commit = (digit: string) => ({ ...origin("x", 1), revision: digit.repeat(40) })

  it("is the commit where there is one origin, and names all of several", () => {
    expect(revisionId([commit("a")])).toBe("a".repeat(40))
    expect(revisionId([commit("a"), commit("b")])).toBe("aaaaaaaaaaaa-bbbbbbbbbbbb")
    const many = Array.from({ length: 20 }, (_, at) => commit(at.toString(20)))
    expect(revisionId(many)).toMatch(/^[0-9a-f]{64}$/)
    expect(revisionId(many)).not.toBe(revisionId(many.slice(1)))
  })
})
