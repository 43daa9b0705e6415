import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { endWithProcess } from "@headrace/config/local/end-with-process"

/** A memory cgroup that a process is started in, with the limit of a container: cgroups(7), version 1 or 2. */
export interface MemoryCgroup {
  /** What comes before a command line, so that all of the process's memory counts. */
  enter: readonly string[]
  /** The most bytes that were in use at one time, page cache included. */
  peak(): number
  /** What Kubernetes charges now: all but the page cache that the kernel can drop first. */
  workingSet(): number
  /** How often more was wanted than the limit, so that the kernel had to take memory back. */
  atLimit(): number
  /** How often the kernel ended a process of it for want of memory. */
  kills(): number
  /** To be called when no process is in it. */
  remove(): void
}

/** The hierarchies of both versions. https://docs.kernel.org/admin-guide/cgroup-v1/memory.html and cgroup-v2.html */
const SYSTEM = { v1: "/sys/fs/cgroup/memory", v2: "/sys/fs/cgroup" }
export type Hierarchies = typeof SYSTEM

/** Why no memory cgroup can be made here; undefined: one can. */
export function cgroupMissing(places: Hierarchies = SYSTEM): string | undefined {
  const found = hierarchy(places)
  if (found === undefined) return "there is no memory controller of cgroups"
  try {
    accessSync(found.folder, constants.W_OK)
  } catch {
    return `${found.folder} cannot be written: run as root`
  }
  return found.isV1 ? undefined : delegationMissing(found.folder)
}

/** Makes a cgroup by hand, without swap. Where the kernel ends one process of it, it ends all, as of a container. */
export function createMemoryCgroup(name: string, limit: number, places: Hierarchies = SYSTEM): MemoryCgroup {
  const found = hierarchy(places)
  if (found === undefined) throw new Error("there is no memory controller of cgroups")
  const folder = join(found.folder, `headrace-${name}-${process.pid}`)
  mkdirSync(folder)
  const callOff = endWithProcess("cgroup", folder)
  const write = (file: string, text: string) => writeFileSync(join(folder, file), text)
  const read = (file: string) => readFileSync(join(folder, file), "utf8")
  const event = (file: string, key: string) =>
    Number(new RegExp(`^${key} (\\d+)$`, "m").exec(read(file))?.[1] ?? 0)
  const common = {
    enter: ["sh", "-c", 'echo $$ > "$0" && exec "$@"', join(folder, "cgroup.procs")],
    remove() {
      rmdirSync(folder)
      callOff()
    },
  }
  if (found.isV1) {
    write("memory.limit_in_bytes", String(limit))
    if (existsSync(join(folder, "memory.memsw.limit_in_bytes")))
      write("memory.memsw.limit_in_bytes", String(limit))
    return {
      ...common,
      peak: () => Number(read("memory.max_usage_in_bytes")),
      workingSet: () => Number(read("memory.usage_in_bytes")) - event("memory.stat", "total_inactive_file"),
      atLimit: () => Number(read("memory.failcnt")),
      kills: () => event("memory.oom_control", "oom_kill"),
    }
  }
  write("memory.max", String(limit))
  for (const [file, text] of [
    ["memory.swap.max", "0"],
    ["memory.oom.group", "1"],
  ] as const)
    if (existsSync(join(folder, file))) write(file, text)
  return {
    ...common,
    peak: () => Number(read("memory.peak")),
    workingSet: () => Number(read("memory.current")) - event("memory.stat", "inactive_file"),
    atLimit: () => event("memory.events", "max"),
    kills: () => event("memory.events", "oom_kill"),
  }
}

function hierarchy({ v1, v2 }: Hierarchies): { folder: string; isV1: boolean } | undefined {
  if (existsSync(join(v1, "memory.limit_in_bytes"))) return { folder: v1, isV1: true }
  const controllers = join(v2, "cgroup.controllers")
  const hasMemory = existsSync(controllers) && /\bmemory\b/.test(readFileSync(controllers, "utf8"))
  return hasMemory ? { folder: v2, isV1: false } : undefined
}

/** Version 2 has a controller in a child only where its parent says so; systemd does so at the root. */
function delegationMissing(folder: string): string | undefined {
  const file = join(folder, "cgroup.subtree_control")
  const isDelegated = () => /\bmemory\b/.test(readFileSync(file, "utf8"))
  if (isDelegated()) return undefined
  try {
    writeFileSync(file, "+memory")
  } catch {
    // Processes are in it, as in a container: cgroups(7), "no internal processes".
  }
  return isDelegated() ? undefined : `${file} has no memory controller, and cannot be given one`
}
