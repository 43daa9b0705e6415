import { systemClock } from "@headrace/shared/foundation/clock"
import { describe, expect, it } from "vitest"
import { holdOfFlags } from "./hold-flags.ts"

const flags = { config: "c", output: "json", logLevel: "warn", by: "me", reason: "freeze" } as const

describe("the end of a hold", () => {
  it.each([
    ["2h", 7_200_000],
    ["90s", 90_000],
    ["3d", 259_200_000],
  ])("is %s from now", (until, milliseconds) => {
    const before = systemClock.now()
    const end = Date.parse(holdOfFlags({ ...flags, until }).until ?? "")
    expect(end).toBeGreaterThanOrEqual(before + milliseconds)
    expect(end).toBeLessThanOrEqual(systemClock.now() + milliseconds)
  })

  it("is a time", () => {
    expect(holdOfFlags({ ...flags, until: "2999-01-01T00:00Z" }).until).toBe("2999-01-01T00:00:00.000Z")
    expect(holdOfFlags(flags).until).toBeNull()
  })

  it.each(["2 h", "5", "tomorrow", "2020-01-01", "0s", "999999999999d", "-1h"])(
    "is refused when it is %j, with an example",
    (until) => {
      expect(() => holdOfFlags({ ...flags, until })).toThrow(
        expect.objectContaining({ code: "hold/until", hint: expect.stringContaining("2h") }),
      )
    },
  )
})

it.each(["", " ", "\n"])("the reason of a hold is refused when it is %j", (reason) => {
  expect(() => holdOfFlags({ ...flags, reason })).toThrow(expect.objectContaining({ code: "hold/reason" }))
})
