import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { selectBenches } from "./select-benches.ts"

const BENCHES = ["agent", "plan", "publish"]

function bench(...flags: string[]) {
  return spawnSync(process.execPath, [join(import.meta.dirname, "main.ts"), ...flags], { encoding: "utf8" })
}

describe("bench --only", () => {
  it("runs all without it, and each named one once, in the order of all", () => {
    expect(selectBenches(BENCHES, undefined)).toEqual(BENCHES)
    expect(selectBenches(BENCHES, "plan")).toEqual(["plan"])
    expect(selectBenches(BENCHES, "publish,agent")).toEqual(["agent", "publish"])
    expect(selectBenches(BENCHES, " publish, publish,")).toEqual(["publish"])
  })

  it.for(["plann", "plan,plann", "", ",", "plan agent"])(
    "refuses %j with the names that there are",
    (only) => {
      expect(() => selectBenches(BENCHES, only)).toThrow(
        /unknown bench ".*"; the benches are agent, plan, publish$/,
      )
    },
  )

  it("ends with exit 2 at an unknown name, before it measures", () => {
    const { status, stdout, stderr } = bench("--only", "plan,gone")
    expect(stderr).toContain('unknown bench "gone"; the benches are agent, ')
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" })
  })

  it("ends with exit 2 at an unknown flag, and with 0 at --help", () => {
    expect(bench("--onyl", "plan").status).toBe(2)
    const help = bench("--help")
    expect(help.status).toBe(0)
    expect(help.stdout.replace(/\s+/g, " ")).toContain(
      "agent, clusters, curve, durability, gates, git-memory, leases, memory, no-server, objects, pipeline, plan, publish, reconcile, safety, targets, traces, trust, watchers, webhook, without-stages",
    )
  })
})
