import { execFile } from "node:child_process"
import { join, resolve } from "node:path"

const ROOT = resolve(import.meta.dirname, "../..")

export interface BootstrapperRun {
  code: number
  stdout: string
  stderr: string
}

/** Runs headrace-bootstrapper from its source, with nothing of the caller's HEADRACE_ environment. */
export function runBootstrapper(args: readonly string[], cwd = ROOT): Promise<BootstrapperRun> {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith("HEADRACE_")),
  )
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
