import { describe, expect, it } from "vitest"
import { newRecord } from "../../record/record.ts"
import { createReconcileMemory } from "../run/memory.ts"
import { noteToken, tokenBeyond } from "./known-token.ts"

const DAY = 24 * 3_600_000
const NOON = Date.parse("2026-01-01T12:00:00Z")
const AHEAD = NOON + 40 * DAY
const time = { clock: { now: () => NOON } }

/** Tokens as they were noted, and what lies beyond the record of this uid at this token. */
function beyond(
  noted: readonly [uid: string | undefined, epoch: number, seq: number][],
  uid: string,
  epoch: number,
) {
  const memory = createReconcileMemory()
  for (const [of, at, seq] of noted) noteToken(memory, "east", { uid: of, token: { epoch: at, seq } }, time)
  const record = { ...newRecord("release", { epoch, seq: 1 }), commit: "c".repeat(40) }
  return tokenBeyond(memory, "east", { record, uid }, time)
}

describe("the token that was in force beyond a record", () => {
  it("is the largest one that was seen of it, of another record, or of a node", () => {
    for (const uid of ["a", "b", undefined]) {
      expect(
        beyond(
          [
            [uid, NOON, 5],
            [uid, NOON, 4],
          ],
          "a",
          NOON,
        ),
      ).toEqual({ epoch: NOON, seq: 5 })
    }
    expect(beyond([["a", NOON, 1]], "a", NOON)).toBeUndefined()
  })

  it("may be far ahead of its own alone", () => {
    expect(beyond([["a", AHEAD, 5]], "a", AHEAD)).toEqual({ epoch: AHEAD, seq: 5 })
    expect(beyond([["a", AHEAD, 5]], "b", NOON)).toBeUndefined()
  })

  it("is known again once a record has followed that was lost far ahead", () => {
    expect(
      beyond(
        [
          ["a", AHEAD, 5],
          ["b", NOON, 3],
        ],
        "b",
        NOON,
      ),
    ).toEqual({ epoch: NOON, seq: 3 })
    expect(
      beyond(
        [
          ["a", AHEAD, 5],
          ["b", NOON, 3],
          [undefined, NOON, 4],
        ],
        "b",
        NOON,
      ),
    ).toEqual({ epoch: NOON, seq: 4 })
  })

  it("stays what a record far ahead has, whatever nodes report", () => {
    expect(
      beyond(
        [
          ["a", AHEAD, 5],
          [undefined, NOON, 9],
        ],
        "a",
        AHEAD,
      ),
    ).toEqual({ epoch: AHEAD, seq: 5 })
  })
})
