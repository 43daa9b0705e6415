import { type ChildProcess, spawn } from "node:child_process"
import { createWriteStream, readFileSync, type WriteStream } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { endChildWithProcess } from "./end-with-process.ts"

/** The three programs of a deployment. */
export type ProgramName = "plugin" | "bootstrapper" | "agent"

/** How long a program may take to end after SIGTERM before it is killed. */
const GRACE_MS = 10_000
/** A program that ends by itself is started again after this long, as a kubelet would. */
const RESTART_MS = 500
const LAST_LINES = 12

/** A program that is kept running until it is stopped. */
export interface ChildProgram {
  readonly name: string
  /** Of the process that runs now. */
  readonly pid: number | undefined
  /** Sends a signal to the process that runs now; unless stopped, it is started again when it ends. */
  signal(name: NodeJS.Signals): void
  stop(): Promise<void>
  /** The end of its log. */
  lastWords(): string
}

export interface ChildProgramOptions {
  name: string
  program: ProgramName
  args: readonly string[]
  env?: Record<string, string>
  /** Where its output goes. */
  logFile: string
}

/** Starts one of our programs, from the build or, when this file runs as a source, from the sources. */
export function startChildProgram(options: ChildProgramOptions): ChildProgram {
  const log = createWriteStream(options.logFile, { flags: "a" })
  let stopping = false
  let child = spawnProgram(options, log)
  let restart: NodeJS.Timeout | undefined
  watchEnd(child)

  function watchEnd(process: ChildProcess): void {
    process.once("exit", (code, signal) => {
      if (stopping) return
      log.write(
        `{"msg":"program ended by itself","name":"${options.name}","code":${code},"signal":"${signal}"}\n`,
      )
      restart = setTimeout(() => {
        child = spawnProgram(options, log)
        watchEnd(child)
      }, RESTART_MS)
    })
  }

  return {
    name: options.name,
    get pid() {
      return child.pid
    },
    signal(name) {
      child.kill(name)
    },
    async stop() {
      stopping = true
      clearTimeout(restart)
      await endChild(child)
      log.end()
    },
    lastWords: () => readFileSync(options.logFile, "utf8").split("\n").slice(-LAST_LINES).join("\n"),
  }
}

/**
 * The command line that runs one of our programs here: the build or, where this file runs as a source, the sources. `npm test`
 * has just bundled the programs as `npm pack` does; it names the bundles, which start in less than half the time.
 */
export function programCommand(program: ProgramName): string[] {
  const here = fileURLToPath(import.meta.url)
  if (!here.endsWith(".ts")) return [join(dirname(here), "..", "..", "..", program, "dist", "main.js")]
  const folder = join(dirname(here), "..", "..", program)
  if (process.env.HEADRACE_TEST_PROGRAMS === "bundle") return [join(folder, "bundle/main.js")]
  return ["--conditions=source", "--no-warnings", join(folder, "src/main.ts")]
}

function spawnProgram(options: ChildProgramOptions, log: WriteStream): ChildProcess {
  const child = spawn(process.execPath, [...programCommand(options.program), ...options.args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...ownEnvironment(), ...options.env },
  })
  endChildWithProcess(child)
  child.stdout.pipe(log, { end: false })
  child.stderr.pipe(log, { end: false })
  return child
}

/** What this program was given by HEADRACE_ variables is not meant for the flags of another. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const kept = ([name]: [string, unknown]) =>
    !name.startsWith("HEADRACE_") || name.startsWith("HEADRACE_TEST_")
  return Object.fromEntries(Object.entries(process.env).filter(kept))
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()))
  child.kill("SIGTERM")
  const kill = setTimeout(() => child.kill("SIGKILL"), GRACE_MS)
  await ended
  clearTimeout(kill)
}
