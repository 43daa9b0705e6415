import { type ChildProcess, spawn } from "node:child_process"
import { HeadraceError } from "../../foundation/errors.ts"
import { killGroup } from "../../foundation/kill-group.ts"
import { killByVariable } from "./kill-by-variable.ts"

/** A program that judges files, and its bounds. */
export interface GateProgram {
  /** Program and arguments; no shell reads them. */
  command: readonly string[]
  /** Where it runs: the files. */
  folder: string
  /** Where it may write. */
  scratch: string
  /** Milliseconds, then SIGKILL. */
  timeout: number
  /** Bytes that each of its processes may allocate. */
  memory: number
  /** Variables beside PATH, HOME, TMPDIR and LANG. */
  env: Readonly<Record<string, string>>
}

/** What a program said: undefined for exit code 0. */
export interface GateAnswer {
  /** How it ended otherwise: `exit code 3`. */
  refused: string | undefined
  /** The beginning of what it wrote, standard error first. */
  output: string
}

const KEPT_OUTPUT = 16 * 1024
const MOST_OUTPUT = 1024 * 1024
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
/** Milliseconds after its end for the rest of its output. */
const OUTPUT_WAIT = 1000
/** The shell's `exec` reports these for a program that is not there, or is none. */
const NOT_FOUND = 127
const NOT_EXECUTABLE = 126

/**
 * Runs an operator's program over files and gives its answer. It gets no variable of ours, so none with a credential; a
 * process group of its own, which ends with it, as does what inherited its HOME; at most `memory` of data for each process
 * (RLIMIT_DATA, setrlimit(2)) and no core files. It runs as this program's user and can read what that user can: what
 * confines it further is the Pod.
 *
 * Throws `gate/no-program` when it cannot be started, `gate/unjudged` when it was killed, took longer than `timeout` or
 * wrote more than 1 MiB, and the signal's reason.
 */
export async function runGateProgram(program: GateProgram, signal: AbortSignal): Promise<GateAnswer> {
  signal.throwIfAborted()
  const { command, folder, scratch, env } = program
  const limits = `ulimit -c 0; ulimit -d ${Math.ceil(program.memory / 1024)} 2>/dev/null; exec "$@"`
  const child = spawn("/bin/sh", ["-c", limits, "sh", ...command], {
    cwd: folder,
    env: { PATH, HOME: scratch, TMPDIR: scratch, LANG: "C.UTF-8", ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  })
  let ended: Error | undefined
  const end = (reason: Error) => {
    ended ??= reason
    killGroup(child)
  }
  const output = collectOutput(child, () => end(unjudged(program, `wrote more than ${MOST_OUTPUT} bytes`)))
  const late = () => end(unjudged(program, `took longer than ${program.timeout / 1000} s`))
  const timer = setTimeout(late, program.timeout)
  const onAbort = () => end(signal.reason)
  signal.addEventListener("abort", onAbort, { once: true })
  try {
    const { code, by } = await endOf(child)
    if (ended) throw ended
    if (by !== null) throw unjudged(program, `was killed by ${by}`)
    if (code === NOT_FOUND || code === NOT_EXECUTABLE) throw noProgram(program, output())
    return { refused: code === 0 ? undefined : `exit code ${code}`, output: output() }
  } finally {
    clearTimeout(timer)
    signal.removeEventListener("abort", onAbort)
    await killRest(child, scratch)
    child.stdout?.destroy()
    child.stderr?.destroy()
  }
}

/**
 * Its end, and that of its output where that comes soon: a process that it left behind with a session of its own
 * (setsid(2)) is not in its group, and can hold the output open for ever.
 */
function endOf(child: ChildProcess): Promise<{ code: number | null; by: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    child.once("error", (cause) =>
      reject(new HeadraceError("gate/unjudged", "a gate's program cannot be started", { cause })),
    )
    child.once("exit", (code, by) => {
      killGroup(child)
      const timer = setTimeout(() => resolve({ code, by }), OUTPUT_WAIT)
      child.once("close", () => {
        clearTimeout(timer)
        resolve({ code, by })
      })
    })
  })
}

/** Keeps the beginning of both streams; what it returns gives it, standard error first. */
function collectOutput({ stdout, stderr }: ChildProcess, onTooMuch: () => void): () => string {
  let written = 0
  const kept = [stderr, stdout].map((stream) => {
    const one = { text: "" }
    stream?.setEncoding("utf8").on("data", (text: string) => {
      written += text.length
      if (one.text.length < KEPT_OUTPUT) one.text += text.slice(0, KEPT_OUTPUT - one.text.length)
      if (written > MOST_OUTPUT) onTooMuch()
    })
    return one
  })
  return () => kept.map(({ text }) => text).join("\n")
}

/** What it left in the background ends too, also with a session of its own. */
async function killRest(child: ChildProcess, scratch: string): Promise<void> {
  killGroup(child)
  await killByVariable(`HOME=${scratch}`)
}

function unjudged({ command }: GateProgram, why: string): HeadraceError {
  return new HeadraceError("gate/unjudged", `the gate's program ${command[0]} ${why}`, {
    hint: "Wait: the next wake-up runs it again; raise its limits in the settings if it needs more.",
    fields: { program: command[0] },
  })
}

function noProgram({ command }: GateProgram, output: string): HeadraceError {
  return new HeadraceError("gate/no-program", `the gate's program ${command[0]} cannot be run`, {
    hint: "Install it where the plugin and the bootstrapper run, and make it executable.",
    fields: { program: command[0], output: output.trim().slice(0, 200) },
  })
}
