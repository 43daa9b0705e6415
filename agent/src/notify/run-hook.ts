import { spawn } from "node:child_process"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import { type Notice, noticeEnvironment } from "./notice.ts"

/** How much of what a hook wrote to standard error goes into the message. */
const KEPT_OUTPUT = 2000

export interface HookOptions {
  /** Program and arguments; no shell. */
  command: readonly string[]
  /** Milliseconds, then SIGKILL. */
  timeout: number
  /** Working folder; else ours. */
  folder?: string
}

/**
 * Runs a hook with the notice in its environment. Throws `notify/hook-failed` for any exit code but 0, a
 * signal, the timeout or a program that cannot be started.
 */
export async function runHook(options: HookOptions, notice: Notice, signal: AbortSignal): Promise<void> {
  const [program = "", ...args] = options.command
  const child = spawn(program, args, {
    cwd: options.folder,
    env: { ...process.env, ...noticeEnvironment(notice) },
    stdio: ["ignore", "ignore", "pipe"],
    signal,
    killSignal: "SIGKILL",
    timeout: options.timeout,
  })
  let output = ""
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output = (output + text).slice(-KEPT_OUTPUT)
  })
  const end = await new Promise<string | undefined>((resolve) => {
    child.once("error", (error) => resolve(error.message))
    child.once("close", (code, by) => resolve(code === 0 ? undefined : (by ?? `exit code ${code}`)))
  })
  signal.throwIfAborted()
  if (end === undefined) return
  throw new HeadraceError("notify/hook-failed", `${program} failed: ${end}`, {
    hint: "It is run again after a wait; it must bear being run twice.",
    fields: { program, end, output: output.trim() },
  })
}
