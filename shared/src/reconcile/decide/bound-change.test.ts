import { describe, expect, it } from "vitest"
import type { PlannedTarget } from "../../plan/plan.ts"
import { beyondChange } from "./bound-change.ts"

/** A target of files by oid, each of as many bytes as its name says: `a:10`. */
function target(name: string, ...oids: string[]): [string, PlannedTarget] {
  const keys = oids.map((oid) => ({
    key: oid.replace(":", "-"),
    gzip: false,
    file: { path: oid, oid, size: Number(oid.split(":")[1]), executable: false },
  }))
  return [`ci/${name}`, { target: { cluster: "a", namespace: "ci", name }, view: true, keys }]
}

function plan(...targets: [string, PlannedTarget][]) {
  return { targets: new Map(targets) }
}

describe("beyondChange", () => {
  it("leaves out the target with the most new content, and no more than that takes", () => {
    const refused = beyondChange(
      plan(target("a", "a:40"), target("b", "b:90"), target("c", "c:50")),
      undefined,
      100,
    )
    expect([...refused.keys()]).toEqual(["ci/b"])
    expect(refused.get("ci/b")).toContain("90 bytes of new content, of 180")
  })

  it("counts only what the target in force does not hold, and each content once", () => {
    const before = plan(target("a", "old:500"))
    expect(beyondChange(plan(target("a", "old:500", "new:60", "new:60")), before, 100).size).toBe(0)
  })

  it("lets a change pass that is as large as the bound", () => {
    expect(beyondChange(plan(target("a", "a:40"), target("b", "b:60")), undefined, 100).size).toBe(0)
  })
})
