import { execFile } from "node:child_process"
import { readFile } from "node:fs/promises"
import { createServer } from "node:net"
import { join } from "node:path"
import { expect, it } from "vitest"
import { withFolder } from "../harness/with-folder.ts"

// What a person waits for at a prompt. Times depend on the machine, so what is loaded is looked at: the sources, since a
// bundle has what it loads at once and what it loads later in chunks without names.

const ROOT = join(import.meta.dirname, "../..")
const LOG_MODULES = join(ROOT, "test/harness/log-modules.mjs")
/** The command line's own. */
const LEAN = ["commander", "picocolors"]

interface Loaded {
  code: number
  errors: string
  /** Packages of npm. */
  packages: string[]
  /** Paths of our own modules, from the repository's root. */
  own: string[]
}

function run(program: string, args: readonly string[]): Promise<Loaded> {
  return withFolder((folder) => {
    const modules = join(folder, "modules")
    const node = ["--conditions=source", "--no-warnings", "--import", LOG_MODULES, join(ROOT, program)]
    const env = { PATH: process.env.PATH, HOME: folder, HEADRACE_TEST_MODULES: modules }
    return new Promise((resolve, reject) => {
      execFile(process.execPath, [...node, ...args], { env, cwd: folder }, (error, _, errors) => {
        const code = typeof error?.code === "number" ? error.code : error ? 1 : 0
        const loaded = readFile(modules, "utf8").then((text) => text.trim().split("\n"))
        loaded.then((urls) => resolve({ code, errors, ...sorted(urls) })).catch(reject)
      })
    })
  })
}

function sorted(urls: readonly string[]): Pick<Loaded, "packages" | "own"> {
  const named = urls.map((url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1])
  const packages = [...new Set(named.filter((name) => name !== undefined))].sort()
  const own = urls.filter((_, at) => named[at] === undefined).map((url) => url.replace(`file://${ROOT}/`, ""))
  return { packages, own }
}

it.each([
  ["bootstrapper/src/main.ts", "--version"],
  ["bootstrapper/src/main.ts", "--help"],
  ["agent/src/main.ts", "--version"],
  ["plugin/src/main.ts", "--help"],
  ["config/local/up.ts", "--help"],
  ["config/local/demo.ts", "--version"],
])("%s %s loads the command line and nothing else", async (program, flag) => {
  const { code, packages, own } = await run(program, [flag])
  expect(code).toBe(0)
  expect(own).toContain(program)
  expect(packages.filter((name) => !LEAN.includes(name))).toEqual([])
})

it("up looks for what is in the way before it loads what it would start", () =>
  withFolder(async (folder) => {
    const server = createServer()
    const port = await new Promise<number>((resolve) => {
      server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port))
    })
    try {
      const flags = ["--repo", ROOT, "--branch", "main", "--rules", "plugins.yaml", "--port", String(port)]
      const { code, errors, packages, own } = await run("config/local/up.ts", [...flags, "--target", folder])
      expect([code, errors]).toEqual([1, expect.stringContaining(`port ${port} is in use`)])
      expect(own).toContain("config/local/preflight/preflight.ts")
      expect(own).not.toContain("config/local/start-local.ts")
      expect(packages.filter((name) => !LEAN.includes(name))).toEqual([])
    } finally {
      server.close()
    }
  }))
