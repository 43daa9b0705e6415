import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { actorsOf, hasTest, threatsOf } from "./threat-model.ts"

const ROOT = join(import.meta.dirname, "../..")
const SECURITY = readFileSync(join(ROOT, "SECURITY.md"), "utf8")

describe("the threat model of SECURITY.md", () => {
  const threats = threatsOf(SECURITY)

  it("names for each threat a test that is there", () => {
    const missing = threats.flatMap(({ line, tests }) =>
      tests.filter(({ file, title }) => !isThere(file, title)).map((test) => ({ line, ...test })),
    )

    expect(missing).toEqual([])
    expect(threats.filter(({ tests }) => tests.length === 0)).toEqual([])
    expect(threats.length).toBeGreaterThan(15)
  })

  it("names attackers that it has introduced, and every one of them but the operator in a threat", () => {
    const attackers = new Set(threats.map(({ who }) => who))

    expect([...attackers, "operator"].sort()).toEqual(actorsOf(SECURITY).sort())
  })

  it("would be seen to name a test, a file or an attacker that is not there", () => {
    const [threat] = threatsOf(
      "| who | tries | promise | test |\n|---|---|---|---|\n| a | b | c | `x.test.ts`: d<br>`y.test.ts`: e \\| f |\n",
    )

    expect(threat).toMatchObject({ line: 3, who: "a" })
    expect(threat?.tests.map(({ file }) => file)).toEqual(["x.test.ts", "y.test.ts"])
    expect(isThere("x.test.ts", "d")).toBe(false)
    expect(hasTest('it("refuses", () => {})', "refuses")).toBe(true)
    expect(hasTest('it("refuses more", () => {})', "refuses")).toBe(false)
  })
})

function isThere(file: string, title: string): boolean {
  const path = join(ROOT, file)
  return existsSync(path) && hasTest(readFileSync(path, "utf8"), title)
}
