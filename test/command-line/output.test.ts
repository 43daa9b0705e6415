import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { programArguments } from "../harness/program-arguments.ts"
import { whySkipped } from "../harness/why-skipped.ts"
import { withFolder } from "../harness/with-folder.ts"

const ROOT = join(import.meta.dirname, "../..")
const BOOTSTRAPPER = commandOf("bootstrapper")
const AGENT = commandOf("agent")
const PLUGIN = commandOf("plugin")

function commandOf(name: "agent" | "bootstrapper" | "plugin"): string {
  return [process.execPath, ...programArguments(name)].map((word) => `"${word}"`).join(" ")
}

/** With names this long, several times what a pipe holds (man 7 pipe: 65,536 bytes). */
const FILES = 400
const LONG_NAME = "a-file-with-a-long-name-".repeat(8)
const PIPE_BYTES = 65_536
const LIMIT_MS = 150_000

const RULES = "config_updater:\n  maps:\n    a/*.yaml: {name: c, clusters: {default: [ci]}}\n"
const BOTH = `${RULES}    b/*.yaml: {name: c, clusters: {default: [ci]}}\n`
const PLAN = `${BOOTSTRAPPER} plan --source-path . --rules plugins.yaml -o json`

interface Run {
  stdout: string
  stderr: string
  code: number | null
}

/** Runs a line of bash whose code is that of the last part of a pipeline that failed. */
function bash(line: string, cwd: string): Promise<Run> {
  const child = spawn("bash", ["-c", `set -o pipefail; ${line}`], { cwd })
  let stdout = ""
  let stderr = ""
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text))
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text))
  return new Promise((resolve) => child.on("close", (code) => resolve({ stdout, stderr, code })))
}

/** Two folders with the same names: each file is a key, and with `BOTH` each key has two files. */
function withLargePlan(use: (folder: string) => Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    await writeFile(join(folder, "plugins.yaml"), RULES)
    for (const part of ["a", "b"]) {
      await mkdir(join(folder, part))
      for (let index = 0; index < FILES; index++) {
        await writeFile(join(folder, part, `${LONG_NAME}${index}.yaml`), "a: 1\n")
      }
    }
    await use(folder)
  })
}

async function isWhole(folder: string): Promise<void> {
  const slow = await bash(`${PLAN} | (sleep 1; cat)`, folder)
  expect(slow).toMatchObject({ code: 0, stderr: "" })
  expect(slow.stdout.length).toBeGreaterThan(2 * PIPE_BYTES)
  const [listed] = JSON.parse(slow.stdout)
  expect(Object.keys(listed.keys)).toHaveLength(FILES)

  expect(await bash(`${PLAN} | head -c 10`, folder)).toMatchObject({ code: 0, stderr: "" })
  expect(await bash(`${PLAN} | true`, folder)).toMatchObject({ code: 0, stderr: "" })
}

async function errorsAreWhole(folder: string): Promise<void> {
  await writeFile(join(folder, "plugins.yaml"), BOTH)
  const { stderr } = await bash(`${PLAN} --strict 2>&1 >/dev/null | (sleep 1; cat) >&2`, folder)
  for (let index = 0; index < FILES; index++) expect(stderr).toContain(`b/${LONG_NAME}${index}.yaml`)
  expect(await bash(`${PLAN} --strict 2>/dev/null | head -c 10`, folder)).toMatchObject({ code: 1 })
}

async function failsByName(folder: string): Promise<void> {
  const { code, stderr } = await bash(`${PLAN} >/dev/full`, folder)
  expect([code, stderr]).toEqual([1, expect.stringContaining("[program/output]")])
  expect(stderr).not.toContain("    at ")
}

describe("what a program prints into a pipe", () => {
  it(
    "is whole, however late its reader begins, and a reader that leaves is no failure",
    () => withLargePlan(isWhole),
    LIMIT_MS,
  )

  it("is whole where it is an error, and keeps its code", () => withLargePlan(errorsAreWhole), LIMIT_MS)

  it.skipIf(!existsSync("/dev/full"))(
    `fails by name when there is no room for it${whySkipped(existsSync("/dev/full") ? undefined : "no /dev/full")}`,
    () => withLargePlan(failsByName),
    LIMIT_MS,
  )

  it.each([
    ["bootstrapper", BOOTSTRAPPER],
    ["agent", AGENT],
    ["plugin", PLUGIN],
  ])(
    "is the help of the %s, for a reader that leaves before it comes",
    async (_, program) => {
      expect(await bash(`${program} --help | true`, ROOT)).toMatchObject({ code: 0, stderr: "" })
    },
    LIMIT_MS,
  )
})
