import { execFile } from "node:child_process"
import { chmod, mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { programArguments } from "./program-arguments.ts"
import { testGitEnvironment } from "./with-repo.ts"

/** What a line printed, and what it ended with. */
export interface Typed {
  code: number
  stdout: string
  /** Both streams. */
  text: string
}

export interface ShellPlace {
  /** Where lines are typed. */
  cwd: string
  /** HOME, and where the programs' scripts are put. */
  home: string
  env?: Record<string, string>
}

/** A shell in which the programs are on the PATH, and nothing else that they would heed is set. */
export async function openShell({
  cwd,
  home,
  env = {},
}: ShellPlace): Promise<(line: string) => Promise<Typed>> {
  const bin = join(home, "bin")
  await mkdir(bin, { recursive: true })
  for (const name of ["bootstrapper", "agent"] as const) {
    const words = [process.execPath, ...programArguments(name)].map((word) => `'${word}'`)
    const file = join(bin, `headrace-${name}`)
    await writeFile(file, `#!/bin/sh\nexec ${words.join(" ")} "$@"\n`)
    await chmod(file, 0o755)
  }
  const typed = {
    ...testGitEnvironment,
    PATH: `${bin}:${process.env.PATH}`,
    HOME: home,
    // On a machine with a dozen times the work that it can do, two seconds are no time to answer in.
    HEADRACE_ANSWER_LIMIT: "60s",
    ...env,
  }
  return (line) =>
    new Promise((done) => {
      execFile("sh", ["-c", line], { env: typed, cwd, maxBuffer: 2 ** 28 }, (error, stdout, stderr) => {
        const code = typeof error?.code === "number" ? error.code : error ? 1 : 0
        done({ code, stdout, text: stdout + stderr })
      })
    })
}
