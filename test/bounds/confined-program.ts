import { spawn } from "node:child_process"
import { endChildWithProcess } from "@headrace/config/local/end-with-process"
import { programArguments } from "../harness/program-arguments.ts"
import { logLines } from "../harness/run-marked.ts"
import { until } from "../harness/until.ts"
import { createMemoryCgroup } from "./memory-cgroup.ts"

/** A program under its shipped memory limit. */
export interface ConfinedProgram {
  log(): Record<string, unknown>[]
  isAlive(): boolean
}

/** What its cgroup measured. */
export interface Confinement {
  limit: number
  peak: number
  kills: number
  /** How often it would have taken more than the limit, had the kernel not taken memory back first. */
  atLimit: number
}

/** On a machine with a dozen times the work that it can do. */
const START_LIMIT_MS = 120_000

/** Runs a program in a memory cgroup of `limit` bytes until `use` ends, and gives what it took at most. */
export async function runConfined(
  name: "agent" | "plugin",
  args: readonly string[],
  { limit, started }: { limit: number; started: string },
  use: (program: ConfinedProgram) => Promise<void>,
): Promise<Confinement> {
  const cgroup = createMemoryCgroup(name, limit)
  const [shell = "sh", ...enter] = cgroup.enter
  const command = [...enter, process.execPath, ...programArguments(name), ...args]
  const child = spawn(shell, command, { stdio: ["ignore", "pipe", "pipe"] })
  endChildWithProcess(child)
  let output = ""
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text
    })
  }
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()))
  const log = () => logLines(output)
  const isAlive = () => child.exitCode === null && child.signalCode === null
  try {
    await until(() => !isAlive() || log().some(({ msg }) => msg === started), START_LIMIT_MS)
    if (!isAlive()) throw new Error(`${name} did not start: ${output}`)
    await use({ log, isAlive })
    if (!isAlive()) throw new Error(`${name} has ended`)
    return { limit, peak: cgroup.peak(), kills: cgroup.kills(), atLimit: cgroup.atLimit() }
  } catch (error) {
    process.stderr.write(
      `${name}: signal ${child.signalCode}, ${cgroup.kills()} kills, ${cgroup.peak()} bytes\n${output.slice(-4000)}\n`,
    )
    throw error
  } finally {
    child.kill("SIGKILL")
    await ended
    cgroup.remove()
  }
}
