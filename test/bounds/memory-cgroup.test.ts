import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { withFolder } from "../harness/with-folder.ts"
import { cgroupMissing, createMemoryCgroup } from "./memory-cgroup.ts"

const LIMIT = 256 * 2 ** 20

/** Files in place of a kernel's: what is written is checked, and what the kernel counts is put there. */
it("limits and measures by the files of version 1 where both are there", () =>
  withFolder((folder) => {
    const places = { v1: join(folder, "memory"), v2: folder }
    mkdirSync(places.v1)
    expect(cgroupMissing(places)).toBe("there is no memory controller of cgroups")
    writeFileSync(join(places.v1, "memory.limit_in_bytes"), "max")
    expect(cgroupMissing(places)).toBeUndefined()
    const cgroup = createMemoryCgroup("agent", LIMIT, places)
    const own = ownFolder(places.v1)
    expect(readFileSync(join(own, "memory.limit_in_bytes"), "utf8")).toBe(String(LIMIT))
    expect(cgroup.enter.at(-1)).toBe(join(own, "cgroup.procs"))
    writeFileSync(join(own, "memory.max_usage_in_bytes"), "1000\n")
    writeFileSync(join(own, "memory.failcnt"), "7\n")
    writeFileSync(join(own, "memory.oom_control"), "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n")
    expect([cgroup.peak(), cgroup.atLimit(), cgroup.kills()]).toEqual([1000, 7, 2])
  }))

it("limits and measures by the files of version 2, and has the controller passed on", () =>
  withFolder((folder) => {
    const places = { v1: join(folder, "none"), v2: folder }
    writeFileSync(join(folder, "cgroup.controllers"), "cpu io memory pids\n")
    writeFileSync(join(folder, "cgroup.subtree_control"), "cpu\n")
    expect(cgroupMissing(places)).toBeUndefined()
    expect(readFileSync(join(folder, "cgroup.subtree_control"), "utf8")).toBe("+memory")
    const cgroup = createMemoryCgroup("plugin", LIMIT, places)
    const own = ownFolder(folder)
    expect(readFileSync(join(own, "memory.max"), "utf8")).toBe(String(LIMIT))
    writeFileSync(join(own, "memory.peak"), "2000\n")
    writeFileSync(join(own, "memory.events"), "low 0\nhigh 0\nmax 3\noom 1\noom_kill 1\noom_group_kill 1\n")
    expect([cgroup.peak(), cgroup.atLimit(), cgroup.kills()]).toEqual([2000, 3, 1])
  }))

function ownFolder(parent: string): string {
  return join(parent, readdirSync(parent).find((name) => name.startsWith("headrace-")) ?? "none")
}
