import { type ChildProcess, spawn } from "node:child_process"
import { HeadraceError } from "../../foundation/errors.ts"
import { startFolder } from "../../foundation/start-folder.ts"
import { gitEnvironment } from "./git-environment.ts"
import { gitFailure } from "./git-failure.ts"

export interface GitCommand {
  /** The subcommand and its arguments; anything from outside comes after `--end-of-options`. */
  args: readonly string[]
  gitDir?: string
  /** The git program; `git`, by PATH, unless given. */
  program?: string
  /** Working folder; ours unless given. */
  folder?: string
  /** From gitEnvironment. */
  env?: Record<string, string>
  signal?: AbortSignal | undefined
  /** What it reads from standard input; nothing without it. */
  stdin?: Buffer
  /** Milliseconds after which the command is ended. */
  timeout?: number
  /** Bytes of output after which the command is ended. */
  mostOutput?: number | undefined
  /** Exit codes that are an answer and not a failure. */
  answers?: readonly number[]
}

export interface GitAnswer {
  code: number
  stdout: Buffer
  /** The end of what it wrote to standard error. */
  stderr: string
}

const TIMEOUT = 60_000
/** Bytes of output: the ids of three million commits. The programs hold it twice while they read it. */
const MOST_OUTPUT = 128 * 1024 * 1024
const MOST_COMPLAINT = 16 * 1024
const PATIENCE = 2_000

/**
 * Runs a git command to its end. Abort, timeout and too much output end it with all its children.
 * Throws the signal's reason, or a HeadraceError `git/…` (git-failure.ts, `git/timeout`, `git/too-much-output`,
 * `git/not-installed`).
 */
export async function runGit(command: GitCommand): Promise<GitAnswer> {
  command.signal?.throwIfAborted()
  const name = command.args[0] ?? ""
  const location = command.gitDir === undefined ? [] : [`--git-dir=${command.gitDir}`]
  const program = command.program ?? "git"
  const child = spawn(program, [...location, ...command.args], {
    cwd: command.folder ?? startFolder(),
    env: command.env ?? gitEnvironment(),
    stdio: ["pipe", "pipe", "pipe"],
    // A group of its own, so that git's helpers (ssh, remote-https, index-pack) end with it.
    detached: true,
  })
  let ended: Error | undefined
  function end(reason: Error): void {
    ended ??= reason
    endGroup(child)
  }
  // One that ends before it has read everything says why on standard error.
  child.stdin.on("error", () => {})
  child.stdin.end(command.stdin)
  const output: Buffer[] = []
  const mostOutput = command.mostOutput ?? MOST_OUTPUT
  let size = 0
  child.stdout.on("data", (chunk: Buffer) => {
    size += chunk.length
    if (size > mostOutput) end(tooMuch(name, mostOutput))
    else output.push(chunk)
  })
  let complaint = ""
  child.stderr.on("data", (chunk: Buffer) => {
    complaint = (complaint + chunk.toString("latin1")).slice(-MOST_COMPLAINT)
  })
  const limit = command.timeout ?? TIMEOUT
  const timer = setTimeout(() => end(timedOut(name, limit)), limit)
  const onAbort = () => end(command.signal?.reason)
  command.signal?.addEventListener("abort", onAbort, { once: true })
  try {
    const code = await closed(child, program)
    if (ended !== undefined) throw ended
    if (code === 0 || (code !== null && command.answers?.includes(code))) {
      return { code, stdout: Buffer.concat(output), stderr: complaint }
    }
    throw gitFailure(name, code, complaint)
  } finally {
    clearTimeout(timer)
    command.signal?.removeEventListener("abort", onAbort)
  }
}

function closed(child: ChildProcess, program: string): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once("error", (cause) =>
      reject(
        new HeadraceError("git/not-installed", `${program} cannot be run`, {
          hint: "Install git 2.34 or newer.",
          cause,
        }),
      ),
    )
    child.once("close", resolve)
  })
}

/**
 * Ends a detached child and its children: asked first, so that locks are removed, then killed. To be called before
 * the child's `close`. One that has exited may have left children (git killed for its memory, ssh not): they hold its
 * output open, and its group's id stays theirs, so that no other process has it.
 */
export function endGroup(child: ChildProcess): void {
  const group = child.pid
  if (group === undefined) return
  signalGroup(group, "SIGTERM")
  const timer = setTimeout(() => signalGroup(group, "SIGKILL"), PATIENCE)
  child.once("close", () => clearTimeout(timer))
}

function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal)
  } catch {
    // Gone already.
  }
}

function timedOut(name: string, milliseconds: number): HeadraceError {
  return new HeadraceError("git/timeout", `git ${name} took longer than ${milliseconds / 1000} s`, {
    hint: "Check the git server and the network; it is tried again.",
  })
}

function tooMuch(name: string, most: number): HeadraceError {
  return new HeadraceError("git/too-much-output", `git ${name} wrote more than ${most} bytes`, {
    hint: "Split the repository into several sources.",
  })
}
