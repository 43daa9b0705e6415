import { execFile } from "node:child_process"
import { join, resolve } from "node:path"

const ROOT = resolve(import.meta.dirname, "../..")

export interface BootstrapperRun {
  code: number
  stdout: string
  stderr: string
}

/** What of the caller's environment a program would heed. */
const HEEDED = /^(HEADRACE_|KUBE|REDIS_URL$)/

/** Runs headrace-bootstrapper from its source, with nothing of the caller's environment that it would heed. */
export function runBootstrapper(
  args: readonly string[],
  cwd = ROOT,
  extra: Record<string, string> = {},
): Promise<BootstrapperRun> {
  const kept = Object.entries(process.env).filter(([name]) => !HEEDED.test(name))
  const env = { ...Object.fromEntries(kept), ...extra }
  const main = join(ROOT, "bootstrapper/src/main.ts")
  return new Promise((done) => {
    execFile(
      process.execPath,
      ["--conditions=source", "--no-warnings", main, ...args],
      { cwd, env, maxBuffer: 2 ** 28 },
      (error, stdout, stderr) => {
        const code = typeof error?.code === "number" ? error.code : error ? 1 : 0
        done({ code, stdout, stderr })
      },
    )
  })
}
