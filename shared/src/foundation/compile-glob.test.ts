import { describe, expect, it } from "vitest"
import { compileGlob } from "./compile-glob.ts"

describe("braces of a glob", () => {
  it.each([
    ["{1..2000}", "1500", "2001"],
    ["job-{1..100000000}.yaml", "job-99999999.yaml", "job-0.yaml"],
    ["{0001..2000}", "0015", "15"],
    ["{1..2000}/{1..2000}", "7/1999", "7/2001"],
    ["{a,{1..5000}}", "4999", "5001"],
  ])(
    "that are a long range match as they mean, without one pattern for each number: %s",
    (glob, inside, outside) => {
      const compiled = compileGlob(glob)
      expect(compiled.globSet.length).toBeLessThan(10)
      expect([compiled.match(inside), compiled.match(outside)]).toEqual([true, false])
    },
  )

  it.each(["{a..z}{a..z}{a..z}", "{1..2000..1}", "{a,b}".repeat(12)])(
    "that stand for more than a thousand patterns are refused: %s",
    (glob) => {
      expect(() => compileGlob(glob)).toThrow("its braces stand for more than 1000 patterns")
    },
  )

  it("that are nested or repeated without end are refused or kept as text, in bounded time", () => {
    const nested = `${"{a,".repeat(1000)}b${"}".repeat(1000)}`
    const repeated = "{1..9}".repeat(600)
    for (const glob of [nested, repeated]) {
      try {
        expect(compileGlob(glob).globSet.length).toBeLessThanOrEqual(1000)
      } catch (error) {
        expect(String(error)).toMatch(/braces stand for more|too (many|long|deep)/)
      }
    }
  })

  it("that no pattern could be made of are refused by name", () => {
    expect(() => compileGlob("")).toThrow("it is empty")
    expect(() => compileGlob("a".repeat(4097))).toThrow("longer than 4096")
  })
})
