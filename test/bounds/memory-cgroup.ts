import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"

/** A memory cgroup that a process is started in, with the limit of a container. */
export interface MemoryCgroup {
  /** What comes before a command line, so that all of the process's memory counts. */
  enter: readonly string[]
  /** The most bytes that were in use at one time, page cache included. */
  peak(): number
  /** What Kubernetes charges now: all but the page cache that the kernel can drop first. */
  workingSet(): number
  /** How often the kernel ended a process of it for want of memory. */
  kills(): number
  /** To be called when no process is in it. */
  remove(): void
}

const V1 = "/sys/fs/cgroup/memory"
const V2 = "/sys/fs/cgroup"

/** Why no memory cgroup can be made here; undefined: one can. cgroups(7). */
export function cgroupMissing(): string | undefined {
  const folder = hierarchy()
  if (folder === undefined) return "there is no memory controller of cgroups"
  try {
    accessSync(folder, constants.W_OK)
    return undefined
  } catch {
    return `${folder} cannot be written: run as root`
  }
}

/** Makes a cgroup by hand, in version 1 or 2, without swap. */
export function createMemoryCgroup(name: string, limit: number): MemoryCgroup {
  const parent = hierarchy() ?? V2
  const folder = join(parent, `headrace-${name}-${process.pid}`)
  mkdirSync(folder)
  const isV1 = parent === V1
  const file = (v1: string, v2: string) => join(folder, isV1 ? v1 : v2)
  writeFileSync(file("memory.limit_in_bytes", "memory.max"), String(limit))
  const swap = file("memory.memsw.limit_in_bytes", "memory.swap.max")
  if (existsSync(swap)) writeFileSync(swap, isV1 ? String(limit) : "0")
  const script = 'echo $$ > "$0" && exec "$@"'
  return {
    enter: ["sh", "-c", script, join(folder, "cgroup.procs")],
    peak: () => Number(readFileSync(file("memory.max_usage_in_bytes", "memory.peak"), "utf8")),
    workingSet() {
      const inactive = new RegExp(`^${isV1 ? "total_inactive_file" : "inactive_file"} (\\d+)`, "m")
      const [, cache = 0] = inactive.exec(readFileSync(join(folder, "memory.stat"), "utf8")) ?? []
      return Number(readFileSync(file("memory.usage_in_bytes", "memory.current"), "utf8")) - Number(cache)
    },
    kills: () =>
      Number(
        /^oom_kill (\d+)/m.exec(readFileSync(file("memory.oom_control", "memory.events"), "utf8"))?.[1] ?? 0,
      ),
    remove: () => rmdirSync(folder),
  }
}

function hierarchy(): string | undefined {
  if (existsSync(join(V1, "memory.limit_in_bytes"))) return V1
  const controllers = join(V2, "cgroup.subtree_control")
  return existsSync(controllers) && readFileSync(controllers, "utf8").includes("memory") ? V2 : undefined
}
