import { spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import type { ProgramName } from "@headrace/config/local/child-program"
import { endChildWithProcess } from "@headrace/config/local/end-with-process"
import { cgroupMissing, createMemoryCgroup } from "../../bounds/memory-cgroup.ts"
import { procMemory } from "../../harness/proc-usage.ts"
import { logLines } from "../../harness/run-marked.ts"

const ROOT = join(import.meta.dirname, "../../..")
/** Far beyond what is measured: the cgroup is there to count. */
const LIMIT_BYTES = 8 * 2 ** 30
let started = 0

/** One of our programs, packed as users install it, in a memory cgroup where one can be made. */
export interface MeasuredProgram {
  /** Its log so far. Throws when it has ended. */
  log(): Record<string, unknown>[]
  /** What it holds now, by the names of figures. */
  memory(name: string): Record<string, number>
  end(): Promise<void>
}

export function startMeasured(
  program: ProgramName,
  args: readonly string[],
  env: Record<string, string> = {},
): MeasuredProgram {
  const cgroup =
    cgroupMissing() === undefined ? createMemoryCgroup(`${program}-${started++}`, LIMIT_BYTES) : undefined
  const command = [process.execPath, join(ROOT, program, "bundle/main.js"), ...args]
  const [file = "", ...rest] = [...(cgroup?.enter ?? []), ...command]
  const child = spawn(file, rest, { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, ...env } })
  endChildWithProcess(child)
  // From the start: one that ends by itself is not to be waited for.
  const closed = once(child, "close")
  let output = ""
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text
  })
  return {
    log() {
      const { exitCode, signalCode } = child
      if (exitCode !== null || signalCode !== null) {
        throw new Error(`${program} ended with ${exitCode ?? signalCode}: ${output.slice(-1000)}`)
      }
      return logLines(output)
    },
    memory(name) {
      const { resident, proportional, anonymous } = procMemory(child.pid)
      return {
        [`${name}, resident MB`]: resident,
        [`${name}, proportional set MB`]: proportional,
        [`${name}, of no file MB`]: anonymous,
        ...(cgroup && { [`${name}, working set of its cgroup MB`]: cgroup.workingSet() / 2 ** 20 }),
      }
    },
    async end() {
      child.kill("SIGTERM")
      await closed
      cgroup?.remove()
    },
  }
}
