import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { endChildWithProcess } from "@headrace/config/local/end-with-process"
import type { Report, Running } from "./consumer.ts"
import { shareSessionPriority } from "./priority.ts"

export interface Program {
  command: string
  args: readonly string[]
  env?: Record<string, string>
}

/**
 * Runs a program that prints `ROW READING`, where ROW is an index into `rows`. It is stopped with all that it has started.
 */
export function runReporting(
  program: Program,
  rows: readonly string[],
  report: Report,
): Running & { pid: number } {
  const running = runQuiet(program, (line) => {
    const [, index, reading = ""] = /^(\d+) (.+)$/.exec(line) ?? []
    const row = rows[Number(index)]
    if (row === undefined) return
    if (reading === "mixed" || reading === "unreadable") report(row, reading)
    else if (/^\d+$/.test(reading)) report(row, Number(reading))
  })
  return running
}

/** Runs a program, in a process group of its own, until it is stopped or this process ends, however it ends. */
export function runQuiet(
  { command, args, env }: Program,
  onLine: (line: string) => void = () => undefined,
): { pid: number; stop(): Promise<void> } {
  const child = spawn(command, args, {
    detached: true,
    stdio: ["ignore", "pipe", process.env.HEADRACE_CONSUMERS_DEBUG ? "inherit" : "ignore"],
    // Servers are installed where only root looks.
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin`, ...env },
  })
  const ended = new Promise<void>((resolve) => {
    child.once("close", () => resolve())
    child.once("error", () => resolve())
  })
  createInterface({ input: child.stdout }).on("line", onLine)
  const pid = child.pid ?? 0
  if (pid > 0) shareSessionPriority(pid)
  endChildWithProcess(child, { group: true })
  return {
    pid,
    stop: async () => {
      // The group: shells have started watchers of their own.
      if (pid > 0 && child.exitCode === null && child.signalCode === null) process.kill(-pid, "SIGKILL")
      await ended
    },
  }
}
