import { type ChildProcess, spawn } from "node:child_process"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import { killGroup } from "@headrace/shared/foundation/kill-group"
import { startFolder } from "@headrace/shared/foundation/start-folder"

/** How much of what a hook wrote to standard error goes into the message. */
const KEPT_OUTPUT = 2000
/** How long after a hook's end to wait for the rest of that, in milliseconds. */
const OUTPUT_WAIT = 100

export interface HookOptions {
  /** Program and arguments; no shell. */
  command: readonly string[]
  /** Milliseconds, then SIGKILL. */
  timeout: number
  /** Working folder; otherwise ours. */
  folder?: string | undefined
  /** Variables beside our own. */
  env: Readonly<Record<string, string>>
  /** True: of our variables it gets only those of BARE, and what it leaves in its process group ends with it. */
  isolated?: boolean
}

/** Our own variables can hold credentials; these hold none, and a script without a PATH runs nothing. */
const BARE = ["PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR"]

/**
 * Runs a hook. Throws `notify/hook-failed` for any exit code but 0, a
 * signal, the timeout or a program that cannot be started.
 */
export async function runHook(options: HookOptions, signal: AbortSignal): Promise<void> {
  const [program = "", ...args] = options.command
  const child = spawn(program, args, {
    cwd: options.folder ?? startFolder(),
    env: { ...(options.isolated ? bareEnvironment() : process.env), ...options.env },
    stdio: ["ignore", "ignore", "pipe"],
    signal,
    killSignal: "SIGKILL",
    // A group of its own, which ends with it when it is killed.
    detached: true,
    timeout: options.timeout,
  })
  let output = ""
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output = (output + text).slice(-KEPT_OUTPUT)
  })
  const end = await endOf(child)
  if (options.isolated) {
    killGroup(child)
    // One that left its group for a session of its own (setsid(2)) holds this open; none stays for it.
    child.stderr.destroy()
  }
  signal.throwIfAborted()
  if (end === undefined) return
  throw new HeadraceError("notify/hook-failed", `${program} failed: ${end}`, {
    hint: "Read its output and repair it; it runs again after a wait, and must allow a second run.",
    fields: { program, end, output: output.trim() },
  })
}

function bareEnvironment(): Record<string, string> {
  return Object.fromEntries(
    BARE.flatMap((name) => {
      const value = process.env[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

/**
 * Why a hook failed; undefined when it did not. Its end counts and not that of its output, which what it leaves in the
 * background holds open.
 */
function endOf(child: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message))
    child.once("exit", (code, by) => {
      if (code === 0) return resolve(undefined)
      if (by !== null) killGroup(child)
      const end = by ?? `exit code ${code}`
      const timer = setTimeout(() => resolve(end), OUTPUT_WAIT)
      child.once("close", () => {
        clearTimeout(timer)
        resolve(end)
      })
    })
  })
}
