import { type ChildProcess, execFile, fork } from "node:child_process"
import { randomUUID } from "node:crypto"
import type { Socket } from "node:net"
import { join, resolve } from "node:path"
import type { WarmCommand } from "./bootstrapper-process.ts"
import { programArguments } from "./program-arguments.ts"

const ROOT = resolve(import.meta.dirname, "../..")

export interface BootstrapperRun {
  code: number
  stdout: string
  stderr: string
}

/** What of the caller's environment a program would heed. */
const HEEDED = /^(HEADRACE_|KUBE|REDIS_URL$)/

/** On a machine with a dozen times the work that it can do, two seconds are no time to answer in. */
const BUSY = { HEADRACE_ANSWER_LIMIT: "60s" }

/** Processes that have loaded the program and run nothing now. */
const idle: ChildProcess[] = []

/**
 * Runs headrace-bootstrapper, with nothing of the caller's environment that it would heed. It runs in a process that ran
 * commands before, since most of a command's time goes into its start; `runBootstrapperProcess` is for tests of the start.
 */
export async function runBootstrapper(
  args: readonly string[],
  cwd = ROOT,
  extra: Record<string, string> = {},
): Promise<BootstrapperRun> {
  const child = idle.pop() ?? startWarm()
  keepAlive(child, true)
  const mark = randomUUID()
  const output = Promise.all([untilMark(child.stdout, mark), untilMark(child.stderr, mark)])
  const answer = answerOf(child)
  child.send({ args, cwd, env: environmentOf(extra), mark } satisfies WarmCommand)
  const code = await answer
  const [stdout, stderr] = await output
  keepAlive(child, false)
  idle.push(child)
  return { code, stdout, stderr }
}

/** The same in a process of its own. */
export function runBootstrapperProcess(
  args: readonly string[],
  cwd = ROOT,
  extra: Record<string, string> = {},
): Promise<BootstrapperRun> {
  return new Promise((done) => {
    execFile(
      process.execPath,
      [...programArguments("bootstrapper"), ...args],
      { cwd, env: environmentOf(extra), maxBuffer: 2 ** 28 },
      (error, stdout, stderr) => {
        const code = typeof error?.code === "number" ? error.code : error ? 1 : 0
        done({ code, stdout, stderr })
      },
    )
  })
}

/** It ends with this process: its channel closes. */
function startWarm(): ChildProcess {
  const [main = "", ...flags] = programArguments("bootstrapper").toReversed()
  return fork(join(import.meta.dirname, "bootstrapper-process.ts"), [main], {
    execArgv: ["--no-warnings", ...flags],
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  })
}

/** Whether a process keeps this one from ending. */
function keepAlive(child: ChildProcess, wanted: boolean): void {
  for (const handle of [child, child.channel, child.stdout as Socket, child.stderr as Socket]) {
    if (wanted) handle?.ref()
    else handle?.unref()
  }
}

/** The exit code of the command that it runs. */
function answerOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    function onMessage(code: unknown): void {
      child.off("exit", onExit)
      resolve(Number(code))
    }
    function onExit(code: number | null): void {
      child.off("message", onMessage)
      reject(new Error(`headrace-bootstrapper's process ended with ${code} in the middle of a command`))
    }
    child.once("message", onMessage).once("exit", onExit)
  })
}

/** What comes before the mark. */
function untilMark(pipe: ChildProcess["stdout"], mark: string): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    pipe?.on("data", function take(chunk: Buffer) {
      chunks.push(chunk)
      if (!chunk.includes(mark) && !Buffer.concat(chunks).includes(mark)) return
      pipe.off("data", take)
      resolve(Buffer.concat(chunks).toString().slice(0, -mark.length))
    })
  })
}

function environmentOf(extra: Record<string, string>): Record<string, string> {
  const kept = Object.entries(process.env).flatMap(([name, value]) =>
    value === undefined || HEEDED.test(name) ? [] : [[name, value] as const],
  )
  return { ...Object.fromEntries(kept), ...BUSY, ...extra }
}
