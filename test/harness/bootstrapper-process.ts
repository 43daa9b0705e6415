import process from "node:process"
import { pathToFileURL } from "node:url"

/** One command line, and what its output ends with once it has ended. */
export interface WarmCommand {
  args: readonly string[]
  cwd: string
  env: Record<string, string>
  mark: string
}

/**
 * Runs command after command of headrace-bootstrapper in one process, which loads its modules once: `bootstrapper-process.ts
 * MAIN`. Each command is a new evaluation of MAIN with arguments, environment and folder of its own; it writes to this
 * process' pipes and ends by `process.exit`, which gives its exit code and does not end this process.
 */
const [, , main = ""] = process.argv
const EMITTERS = [process, process.stdout, process.stderr]
let runs = 0

process.on("message", (command: WarmCommand) => void run(command))
process.on("disconnect", () => process.kill(process.pid, "SIGKILL"))
const usual = EMITTERS.map((emitter) => emitter.eventNames())

async function run({ args, cwd, env, mark }: WarmCommand): Promise<void> {
  let code = 0
  process.exit = ((given: number) => {
    code = given
  }) as typeof process.exit
  process.exitCode = undefined
  process.argv = [process.execPath, main, ...args]
  process.chdir(cwd)
  for (const name of Object.keys(process.env)) delete process.env[name]
  Object.assign(process.env, env)
  await import(`${pathToFileURL(main)}?run=${++runs}`)
  dropListeners()
  await Promise.all([process.stdout, process.stderr].map((stream) => write(stream, mark)))
  process.send?.(code)
}

/** Removes the listeners that a command adds for its process: signals, and errors of its output. */
function dropListeners(): void {
  for (const [at, emitter] of EMITTERS.entries()) {
    for (const name of emitter.eventNames()) if (!usual[at]?.includes(name)) emitter.removeAllListeners(name)
  }
}

function write(stream: NodeJS.WriteStream, text: string): Promise<void> {
  return new Promise((resolve) => stream.write(text, () => resolve()))
}
