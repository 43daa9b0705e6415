import { execFile, spawnSync } from "node:child_process"
import { readdirSync, readFileSync, statSync } from "node:fs"
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { openProjection } from "@headrace/agent/publish/open-projection"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { withFolder } from "../harness/with-folder.ts"
import { projectionOptions, revisionOf } from "../harness/with-projection.ts"
import { installPacked, leftOvers, type Manifest, manifestOf, packPrograms } from "./packed-programs.ts"

const run = promisify(execFile)
const ROOT = join(import.meta.dirname, "../..")
const PROGRAMS = ["agent", "plugin", "bootstrapper"]
const OLDEST = 22
/** Twice what the agent's tarball takes now: a bundle that brings a library along takes more. */
const AGENT_BYTES = 400_000
const TSC = join(ROOT, "node_modules/typescript/bin/tsc")
/** Not exported: the program, the files behind the entry, what tests import from the workspace, the root. */
const SEALED = ["main", "read/index", "read/with-revision", "publish/open-projection", "package.json", ""]

const CONSUMER = `
import * as entry from "@headrace/agent/read"
import { readFile } from "node:fs/promises"
import { join } from "node:path"

const [path, ...sealed] = process.argv.slice(2)
const read = await entry.withRevision(path, async (revision) => {
  return { id: revision.id, text: await readFile(join(revision.path, "a"), "utf8") }
})
const stop = new AbortController()
let watched
for await (const id of entry.watchRevision(path, { signal: stop.signal })) {
  watched = id
  stop.abort()
}
const codes = {}
for (const name of sealed) {
  codes[name] = await import(name).then(() => "imported", (error) => error.code)
}
console.log(JSON.stringify({ names: Object.keys(entry).sort(), read, watched, codes }))
`

const TYPED_CONSUMER = `
import { watchRevision, withRevision } from "@headrace/agent/read"

export const length: number = await withRevision("/shown", async ({ path, id, fd }) => (path + id).length + fd)
export const ids: AsyncGenerator<string> = watchRevision("/shown", { signal: new AbortController().signal })
// @ts-expect-error: an entry that took any argument would prove nothing.
await withRevision(1, async () => undefined)
`

interface Lock {
  packages: Record<
    string,
    { dependencies?: Record<string, string>; optionalDependencies?: Record<string, string> }
  >
}

interface Bill {
  bomFormat: string
  metadata: { component: { name: string } }
  components: { purl: string }[]
}

const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as Lock

/** Every package that an installation brings: dependencies of dependencies, by the lock. */
function broughtAlong({ dependencies, optionalDependencies }: Manifest): Set<string> {
  const found = new Set<string>()
  const open = Object.keys({ ...dependencies, ...optionalDependencies })
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name)) continue
    found.add(name)
    open.push(...Object.keys(lock.packages[`node_modules/${name}`]?.dependencies ?? {}))
  }
  return found
}

/** A Node of this machine that is too old for the programs; undefined: there is none. */
function oldNode(): string | undefined {
  const folders = (process.env.PATH ?? "").split(":").filter((folder) => !folder.includes("node_modules"))
  return folders
    .map((folder) => join(folder, "node"))
    .find((program) => {
      const { stdout } = spawnSync(program, ["--version"], { encoding: "utf8" })
      return stdout && Number.parseInt(stdout.slice(1), 10) < OLDEST
    })
}

describe("the packed programs", () => {
  let packed = ""
  let tarballs: ReadonlyMap<string, string> = new Map()

  beforeAll(async () => {
    packed = await mkdtemp(join(tmpdir(), "headrace-packed-"))
    tarballs = await packPrograms(packed, PROGRAMS)
  }, 300_000)

  afterAll(() => rm(packed, { recursive: true, force: true }))

  it("install into an empty folder without each other, answer, and bring along what they use", async () => {
    await withFolder(async (folder) => {
      expect([...tarballs.keys()].sort()).toEqual([...PROGRAMS].sort())
      for (const [name, tarball] of tarballs) {
        const place = join(folder, `with-${name}`)
        await run("mkdir", [place])
        await installPacked(place, new Map([[name, tarball]]))
        const installed = join(place, "node_modules/@headrace", name)
        expect(readdirSync(join(place, "node_modules/@headrace"))).toEqual([name])
        expect(readdirSync(installed).sort()).toEqual([
          "LICENSE",
          "README.md",
          "bin",
          "bundle",
          "package.json",
        ])
        const manifest = await manifestOf(installed)
        await expectAnswers(join(installed, `bin/headrace-${name}.js`), manifest)
        expect(importersOfHttp(join(installed, "bundle"))).toEqual([])
        const entries = name === "agent" ? ["main.js", "read.js"] : ["main.js"]
        expect(leftOvers(join(installed, "bundle"), entries)).toEqual([])
        expect(Object.keys(manifest.exports).length).toBeGreaterThan(0)
        expect(manifest).not.toHaveProperty("private")
      }
      const agent = broughtAlong(await manifestOf(join(folder, "with-agent/node_modules/@headrace/agent")))
      expect(agent).toContain("pino")
      for (const heavy of ["@kubernetes/client-node", "bullmq", "ioredis", "@opentelemetry/sdk-trace"]) {
        expect(agent).not.toContain(heavy)
      }
      expect(statSync(tarballs.get("agent") ?? "").size).toBeLessThan(AGENT_BYTES)
      await expectNoTraces(
        join(folder, "with-agent/node_modules/@headrace/agent/bin/headrace-agent.js"),
        folder,
      )
      const plugin = broughtAlong(await manifestOf(join(folder, "with-plugin/node_modules/@headrace/plugin")))
      expect(plugin).toContain("pino")
      // Their code is in the bundle, and so are the licences of all that the bundle holds.
      const bundle = join(folder, "with-plugin/node_modules/@headrace/plugin/bundle")
      const licences = readFileSync(join(bundle, "LICENSES.txt"), "utf8")
      for (const inlined of ["@kubernetes/client-node", "bullmq", "ioredis", "msgpackr", "undici", "zod"]) {
        expect(plugin).not.toContain(inlined)
        expect(licences).toMatch(new RegExp(`^${inlined} [0-9.]+ \\(`, "m"))
      }
    })
  }, 300_000)

  it("export @headrace/agent/read and nothing else", async () => {
    await withFolder(async (folder) => {
      await installPacked(folder, new Map([["agent", tarballs.get("agent") ?? ""]]))
      const path = join(folder, "shown")
      const projection = await openProjection(projectionOptions(path))
      await projection.publish(revisionOf(1, { a: "one" }))
      await projection.close()

      await writeFile(join(folder, "consumer.mjs"), CONSUMER)
      const sealed = SEALED.map((name) => join("@headrace/agent", name))
      const env = { PATH: process.env.PATH }
      const { stdout } = await run(process.execPath, ["consumer.mjs", path, ...sealed], { cwd: folder, env })
      expect(JSON.parse(stdout)).toEqual({
        names: ["watchRevision", "withRevision"],
        read: { id: "c1", text: "one" },
        watched: "c1",
        codes: Object.fromEntries(sealed.map((name) => [name, "ERR_PACKAGE_PATH_NOT_EXPORTED"])),
      })

      await writeFile(join(folder, "consumer.mts"), TYPED_CONSUMER)
      await symlink(join(ROOT, "node_modules/@types"), join(folder, "node_modules/@types"))
      const flags = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2024", "--types", "node"]
      await run(process.execPath, [TSC, ...flags, "consumer.mts"], { cwd: folder })
    })
  })

  it("have a software bill of materials of exactly what they bring along", async () => {
    const bills = await Promise.all(
      ["agent", "plugin"].map(async (name) => {
        const { stdout } = await run(process.execPath, [join(ROOT, "config/package/sbom.mjs"), name])
        const { bomFormat, metadata, components } = JSON.parse(stdout) as Bill
        expect(bomFormat).toBe("CycloneDX")
        expect(metadata.component.name).toBe(`headrace-${name}`)
        const manifest = await manifestOf(join(ROOT, name))
        const listed = components.map(({ purl }) => decodeURIComponent(purl.slice("pkg:npm/".length)))
        for (const [needed, version] of Object.entries(manifest.dependencies)) {
          expect(listed).toContain(`${needed}@${version}`)
        }
        return listed.join("\n")
      }),
    )
    expect(bills[0]).not.toMatch(/bullmq|client-node|@headrace/)
    expect(bills[1]).toMatch(/bullmq/)
    expect(bills[1]).toMatch(/@kubernetes\/client-node@/)
  })

  it("start the same way, from a file that is in a clone before anything is built", () => {
    const [first, ...others] = PROGRAMS.map((name) =>
      readFileSync(join(ROOT, name, `bin/headrace-${name}.js`), "utf8"),
    )
    for (const other of others) expect(other).toBe(first)
    const committed = spawnSync("git", ["ls-files", "*/bin/*"], { cwd: ROOT, encoding: "utf8" }).stdout
    expect(committed.trim().split("\n").sort()).toEqual(
      PROGRAMS.map((name) => `${name}/bin/headrace-${name}.js`).sort(),
    )
  })
})

/** Files of a bundle that import node:http, which makes Node load its undici (docs/decisions/170). */
function importersOfHttp(bundle: string): string[] {
  const files = readdirSync(bundle, { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".js"),
  )
  expect(files).toContain("main.js")
  return files.filter((file) => /from "(node:)?http"/.test(readFileSync(join(bundle, file), "utf8")))
}

/** The packages that send traces are optional peers: a program that lacks them names them when it is to send some. */
async function expectNoTraces(program: string, folder: string): Promise<void> {
  const config = join(folder, "agent.yaml")
  const shown = { path: join(folder, "shown"), from: [{ configMap: "ci/jobs" }] }
  await writeFile(config, JSON.stringify({ version: 1, record: "headrace/release", projections: { shown } }))
  const args = [program, "--config", config, "--otlp-endpoint", "http://127.0.0.1:1"]
  const run = spawnSync(process.execPath, args, { encoding: "utf8", timeout: 60_000 })
  expect(run.stderr).toContain("[traces/not-installed]")
  expect(run.status).toBe(2)
}

async function expectAnswers(program: string, { version }: Manifest): Promise<void> {
  const answered = await run(process.execPath, [program, "--version"])
  expect(answered.stdout).toBe(`${version}\n`)
  const help = await run(process.execPath, [program, "--help"])
  expect(help.stdout).toContain("Usage: headrace-")
  const old = oldNode()
  if (old === undefined) return
  // On a Node that is too old it still knows its version, and says which Node it needs.
  expect((await run(old, [program, "--version"])).stdout).toBe(`${version}\n`)
  const refused = spawnSync(old, [program, "--help"], { encoding: "utf8" })
  expect(refused.status).toBe(1)
  expect(refused.stderr).toMatch(/needs Node 22\.19 or later, and this is v\d+/)
}
