import { execFile } from "node:child_process"
import { resolve } from "node:path"
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

/** Runs headrace-bootstrapper, with nothing of the caller's environment that it would heed. */
export function runBootstrapper(
  args: readonly string[],
  cwd = ROOT,
  extra: Record<string, string> = {},
): Promise<BootstrapperRun> {
  const kept = Object.entries(process.env).filter(([name]) => !HEEDED.test(name))
  const env = { ...Object.fromEntries(kept), ...BUSY, ...extra }
  return new Promise((done) => {
    execFile(
      process.execPath,
      [...programArguments("bootstrapper"), ...args],
      { cwd, env, maxBuffer: 2 ** 28 },
      (error, stdout, stderr) => {
        const code = typeof error?.code === "number" ? error.code : error ? 1 : 0
        done({ code, stdout, stderr })
      },
    )
  })
}
