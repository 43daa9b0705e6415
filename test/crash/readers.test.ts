import { execFileSync, spawn, spawnSync } from "node:child_process"
import fs from "node:fs"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { watchRevision } from "@headrace/agent/read/watch-revision"
import { describe, expect, it } from "vitest"
import { revisionOf, withProjection } from "../harness/with-projection.ts"

const RECIPES = fileURLToPath(new URL("../../docs/recipes", import.meta.url))
const READER = fileURLToPath(new URL("reader-process.ts", import.meta.url))
const FILES = 12
const REVISIONS = process.env.HEADRACE_CRASH === "long" ? 5000 : 400

/** Every file says which revision it is of; `extra` comes and goes, under a name of its own each time. */
function numbered(seq: number): Record<string, string> {
  const files: Record<string, string> = { [`extra-${seq % 3}`]: `${seq}` }
  for (let index = 0; index < FILES; index++) files[`d${index % 3}/f${index}`] = `${seq}`
  return files
}

interface Found {
  looks: number
  mixed: number
  vanished: number
  lostLinks: number
  revisions: number
}

/** A reader in a process of its own; `stop` ends it and gives what it found. */
function startReader(path: string, how: string): { stop(): Promise<Found> } {
  const child = spawn(process.execPath, ["--conditions=source", READER, path, how], {
    stdio: ["pipe", "pipe", "inherit"],
  })
  let printed = ""
  child.stdout.on("data", (chunk: Buffer) => {
    printed += chunk.toString()
  })
  const ended = new Promise((resolve) => child.on("close", resolve))
  return {
    stop: async () => {
      child.stdin.end()
      await ended
      return JSON.parse(printed)
    },
  }
}

describe("readers against publishing as fast as possible", () => {
  it("see one revision at each look, lose no file under a lease and no visible link", async () => {
    // A single look without a lease is what the minimum age is for; a slow reader outlives it by far.
    const keep = { revisions: 2, age: 300, bytes: 1e9 }
    await withProjection({ keep }, async (projection, path) => {
      await projection.publish(revisionOf(1, numbered(1)))
      const readers = ["look", "look", "0", "900"].map((how) => startReader(path, how))
      for (let seq = 2; seq <= REVISIONS; seq++) {
        await projection.publish(revisionOf(seq, numbered(seq)))
        if (seq % 4 === 0) await projection.settled()
        expect(fs.readFileSync(join(path, `extra-${seq % 3}`), "utf8")).toBe(`${seq}`)
        await delay(2)
      }
      const found = await Promise.all(readers.map((reader) => reader.stop()))

      for (const { mixed, vanished, lostLinks } of found) {
        expect({ mixed, vanished, lostLinks }).toEqual({ mixed: 0, vanished: 0, lostLinks: 0 })
      }
      expect(found.reduce((sum, { looks }) => sum + looks, 0)).toBeGreaterThan(100)
      expect(Math.max(...found.map(({ revisions }) => revisions))).toBeGreaterThan(20)
    })
  }, 120_000)

  it("lose files when revisions go at once and nobody holds a lease (negative control)", async () => {
    await withProjection({ keep: { revisions: 1, age: 0, bytes: 1e9 } }, async (projection, path) => {
      await projection.publish(revisionOf(1, numbered(1)))
      const directory = join(path, fs.readlinkSync(join(path, "..data")))
      await projection.publish(revisionOf(2, numbered(2)))
      await projection.settled()

      expect(fs.existsSync(directory)).toBe(false)
    })
  })

  it("are told of each revision that stays, by watchRevision", async () => {
    await withProjection({}, async (projection, path) => {
      await projection.publish(revisionOf(1, { a: "1" }))
      const stop = new AbortController()
      const told: string[] = []
      const watching = (async () => {
        for await (const id of watchRevision(path, { signal: stop.signal, every: 60_000 })) {
          told.push(id)
          if (id === "c3") stop.abort()
        }
      })()
      await expect.poll(() => told).toEqual(["c1"])
      await projection.publish(revisionOf(2, { a: "2" }))
      await expect.poll(() => told).toEqual(["c1", "c2"])
      await projection.publish(revisionOf(3, { a: "3" }))
      await watching

      expect(told).toEqual(["c1", "c2", "c3"])
    })
  })
})

const TOOLCHAINS: [string, string, (path: string) => [string, string[]]][] = [
  ["shell", "flock", (path) => ["sh", [join(RECIPES, "read-revision.sh"), path]]],
  ["Python", "python3", (path) => ["python3", [join(RECIPES, "read_revision.py"), path]]],
  ["Go", "go", (path) => [join(path, "../read-revision"), [path]]],
]

describe("recipes for readers", () => {
  for (const [language, tool, command] of TOOLCHAINS) {
    const missing =
      spawnSync(tool, [tool === "go" ? "version" : "--version"], { stdio: "ignore" }).status !== 0
    if (missing) process.stdout.write(`the ${language} recipe is not run: ${tool} is not there\n`)

    it.skipIf(missing)(
      `hold a revision through three more: ${language}`,
      async () => {
        const keep = { revisions: 1, age: 0, bytes: 1e9 }
        await withProjection({ keep }, async (projection, path) => {
          if (language === "Go") buildGo(join(path, "../read-revision"))
          await projection.publish(revisionOf(1, numbered(1)))
          const [program, args] = command(path)
          // It prints the revision's directory once it holds it, waits for a line, and prints all files' contents.
          const reader = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] })
          let printed = ""
          reader.stdout.on("data", (chunk: Buffer) => {
            printed += chunk.toString()
          })
          await expect.poll(() => printed, { timeout: 20_000 }).toContain("0001/c1")
          for (const seq of [2, 3, 4]) {
            await projection.publish(revisionOf(seq, numbered(seq)))
            await projection.settled()
          }
          reader.stdin.end("go on\n")
          const code = await new Promise((resolve) => reader.on("close", resolve))

          expect(code).toBe(0)
          expect(printed.trim().split("\n").slice(1)).toEqual(Array.from({ length: FILES + 1 }, () => "1"))
          await projection.publish(revisionOf(5, numbered(5)))
          await projection.settled()
          expect(fs.existsSync(join(path, "..rev/0001"))).toBe(false)
        })
      },
      60_000,
    )
  }
})

function buildGo(output: string): void {
  execFileSync("go", ["build", "-o", output, join(RECIPES, "read-revision.go")], {
    env: { ...process.env, GOFLAGS: "-mod=mod", GO111MODULE: "off", GOCACHE: `${output}-cache` },
  })
}
