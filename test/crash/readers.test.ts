import { spawn } from "node:child_process"
import fs from "node:fs"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import type { LayoutName } from "@headrace/agent/layout/open-layout"
import type { OpenProjection } from "@headrace/agent/publish/open-projection"
import { watchRevision } from "@headrace/agent/read/watch-revision"
import { describe, expect, it } from "vitest"
import { revisionOf, withProjection } from "../harness/with-projection.ts"

const READER = fileURLToPath(new URL("reader-process.ts", import.meta.url))
const FILES = 12
const LONG = process.env.HEADRACE_CRASH === "long"
const REVISIONS = LONG ? 5000 : 120
/** Of a file of its own the number is written so often that it takes several reads. */
const REPEATS = 20_000

/** Those that look as fast as they can: each keeps a processor busy. */
const LOOKERS = LONG ? ["look", "look"] : ["look"]

/** A single look without a lease is what the minimum age is for; a slow reader outlives it by far. */
const KEEP = { revisions: 2, age: 300, bytes: 1e9 }

/** Every file says which revision it is of; `extra` comes and goes, under a name of its own each time. */
function numbered(seq: number): Record<string, string> {
  const files: Record<string, string> = { [`extra-${seq % 3}`]: `${seq}` }
  for (let index = 0; index < FILES; index++) files[`d${index % 3}/f${index}`] = `${seq}`
  return files
}

function filesOf(layout: LayoutName, seq: number): Record<string, string> {
  return layout === "file" ? { "tool*": `${seq} `.repeat(REPEATS) } : numbered(seq)
}

interface Found {
  looks: number
  mixed: number
  vanished: number
  lostLinks: number
  revisions: number
}

/** A reader in a process of its own; `stop` ends it and gives what it found. */
function startReader(path: string, layout: LayoutName, how: string): { stop(): Promise<Found> } {
  const args = ["--conditions=source", READER, path, layout, how, String(KEEP.age)]
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] })
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

async function publishAndLook(
  projection: OpenProjection,
  path: string,
  layout: LayoutName,
  seq: number,
): Promise<void> {
  await projection.publish(revisionOf(seq, filesOf(layout, seq)))
  if (seq % 4 === 0) await projection.settled()
  const shown = layout === "file" ? path : join(path, `extra-${seq % 3}`)
  expect(fs.readFileSync(shown, "utf8").split(" ")[0]).toBe(`${seq}`)
  await delay(2)
}

describe("readers against publishing as fast as possible", () => {
  it.each([
    ["links", [...LOOKERS, "0", "900"]],
    ["exchange", [...LOOKERS, "0", "900"]],
    ["file", LOOKERS],
  ] as [LayoutName, string[]][])(
    "see one revision at each look, lose no file under a lease and no visible name (layout %s)",
    async (layout, hows) => {
      await withProjection({ keep: KEEP, layout }, async (projection, path) => {
        await projection.publish(revisionOf(1, filesOf(layout, 1)))
        const readers = hows.map((how) => startReader(path, layout, how))
        for (let seq = 2; seq <= REVISIONS; seq++) await publishAndLook(projection, path, layout, seq)
        const found = await Promise.all(readers.map((reader) => reader.stop()))

        for (const { mixed, vanished, lostLinks } of found) {
          expect({ mixed, vanished, lostLinks }).toEqual({ mixed: 0, vanished: 0, lostLinks: 0 })
        }
        expect(found.reduce((sum, { looks }) => sum + looks, 0)).toBeGreaterThan(50)
        expect(Math.max(...found.map(({ revisions }) => revisions))).toBeGreaterThan(20)
        const looks = found.map(
          (reader, index) => `${hows[index]}: ${reader.looks} looks, ${reader.revisions} revisions`,
        )
        if (LONG) process.stdout.write(`layout ${layout}, ${REVISIONS} revisions; ${looks.join("; ")}\n`)
      })
    },
    LONG ? 3_600_000 : 120_000,
  )

  it("lose files when revisions are removed immediately and nobody holds a lease (negative control)", async () => {
    await withProjection({ keep: { revisions: 1, age: 0, bytes: 1e9 } }, async (projection, path) => {
      await projection.publish(revisionOf(1, numbered(1)))
      const directory = join(path, fs.readlinkSync(join(path, "..data")))
      await projection.publish(revisionOf(2, numbered(2)))
      await projection.settled()

      expect(fs.existsSync(directory)).toBe(false)
    })
  })

  it.each(["links", "exchange"] as const)(
    "are notified by watchRevision of each that stays (layout %s)",
    async (layout) => {
      await withProjection({ layout }, async (projection, path) => {
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
    },
  )
})
