import { type ChildProcess, spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { endChildWithProcess } from "@headrace/config/local/end-with-process"

/** A process whose environment carries a mark that its descendants inherit, so that none can hide. */
export interface MarkedRun {
  child: ChildProcess
  /** All that it printed on standard output so far. */
  output(): string
  errors(): string
  /** Its exit code, once it ended. */
  ended: Promise<number | null>
  /** Command lines of processes of this run that live now. */
  alive(): string[]
}

export function runMarked(args: readonly string[], env: Record<string, string> = {}): MarkedRun {
  const mark = `HEADRACE_TEST_RUN=${randomUUID()}`
  const [name = "", value = ""] = mark.split("=")
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env, [name]: value },
  })
  endChildWithProcess(child)
  let output = ""
  let errors = ""
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text
  })
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text
  })
  const ended = new Promise<number | null>((resolve) => child.once("close", (code) => resolve(code)))
  return { child, output: () => output, errors: () => errors, ended, alive: () => marked(mark) }
}

/** The whole lines of a program's log so far, parsed. */
export function logLines(output: string): Record<string, unknown>[] {
  return output
    .split("\n")
    .filter((line) => line.startsWith("{") && line.endsWith("}"))
    .map((line) => JSON.parse(line))
}

/** Looks through /proc, as ps(1) does; a process that ends meanwhile is not there. */
function marked(mark: string): string[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((pid) => {
      try {
        const found = readFileSync(`/proc/${pid}/environ`, "utf8").includes(mark)
        return found ? [readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim()] : []
      } catch {
        return []
      }
    })
    .filter((commandLine) => commandLine !== "")
}
