import { spawn } from "node:child_process"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { openNodeDisk } from "@headrace/agent/publish/node-disk"
import { describe, expect, it } from "vitest"
import { withMemoryFolder } from "../harness/with-folder.ts"
import type { ProjectionOptions } from "../harness/with-projection.ts"
import { lookAtProjection, recoverAndPublish } from "./check-projection.ts"
import { publishAll, REVISIONS } from "./scenario.ts"
import { wrapDisk } from "./wrap-disk.ts"

const VICTIM = fileURLToPath(new URL("victim-process.ts", import.meta.url))

const VARIANTS: [string, ProjectionOptions][] = [
  ["fsync, a clone staged", { durability: "fsync" }],
  ["fsync, no clone", { durability: "fsync", prestage: false }],
  ["syncfs, a clone staged", { durability: "syncfs" }],
  ["a link by another name, without visible links", { link: "current", visibleLinks: false }],
]

/** The process dies before operation `index`: nothing that it does afterwards happens. */
async function dieAt(
  path: string,
  index: number,
  options: ProjectionOptions,
): Promise<{ acked: number; died: boolean }> {
  let count = 0
  let dead = false
  let acked = -1
  const disk = wrapDisk(
    openNodeDisk(),
    () => {
      if (count++ !== index) return
      dead = true
      throw new Error("died here")
    },
    () => dead,
  )
  await publishAll(path, { ...options, disk }, (revision) => {
    if (!dead) acked = REVISIONS.indexOf(revision)
  }).catch((error: unknown) => {
    if (!dead) throw error
  })
  disk.die()
  return { acked, died: dead }
}

/** Operation `index` fails with an error of the system; the process lives on. */
async function failAt(
  path: string,
  index: number,
  options: ProjectionOptions,
): Promise<{ acked: number; failed: string | undefined }> {
  let count = 0
  let failed: string | undefined
  let acked = -1
  const real = openNodeDisk()
  const disk = wrapDisk(real, (operation) => {
    if (count++ !== index) return
    failed = operation.name
    throw Object.assign(new Error(`${operation.name} fails`), { code: "EIO" })
  })
  await publishAll(path, { ...options, disk }, (revision) => {
    acked = REVISIONS.indexOf(revision)
  }).catch((error: unknown) => {
    if (failed === undefined) throw error
  })
  disk.die()
  return { acked, failed }
}

describe.each(VARIANTS)("dying at every operation (%s)", (_name, options) => {
  it("shows the old revision or the new one, keeps what was acknowledged, and goes on", async () => {
    const link = options.link === undefined ? {} : { link: options.link }
    let operations = 0
    for (let index = 0; ; index++) {
      const died = await withMemoryFolder(async (folder) => {
        const path = join(folder, "deep/shown")
        const { acked, died } = await dieAt(path, index, options)
        const found = await lookAtProjection(path, REVISIONS, options.link)
        const at = `operation ${index}, acknowledged ${acked}`
        expect(found, at).not.toBe("torn")
        expect(found === "nothing" ? -1 : found, at).toBeGreaterThanOrEqual(acked)
        expect(found === "nothing" ? -1 : found, at).toBeLessThanOrEqual(acked + 1)
        expect(await recoverAndPublish(path, REVISIONS, found, { ...options, ...link }), at).toEqual([])
        return died
      })
      if (!died) break
      operations++
    }
    expect(operations).toBeGreaterThan(60)
  })
})

describe("failing at every operation", () => {
  it("leaves what is published whole, acknowledges nothing that failed, and the next process goes on", async () => {
    const unacknowledged: string[] = []
    for (let index = 0; ; index++) {
      const failed = await withMemoryFolder(async (folder) => {
        const path = join(folder, "shown")
        const { acked, failed } = await failAt(path, index, {})
        const found = await lookAtProjection(path, REVISIONS)
        expect(found, `operation ${index} (${failed})`).not.toBe("torn")
        expect(found === "nothing" ? -1 : found, `operation ${index} (${failed})`).toBeGreaterThanOrEqual(
          acked,
        )
        expect(await recoverAndPublish(path, REVISIONS, found), `operation ${index} (${failed})`).toEqual([])
        if (failed && acked < REVISIONS.length - 1) unacknowledged.push(failed)
        return failed
      })
      if (!failed) break
    }
    // Every kind of operation counts: each has, somewhere, kept a publish from being acknowledged.
    const kinds = new Set(unacknowledged)
    for (const kind of ["createFile", "write", "setMode", "close", "sync", "rename", "symlink", "link"])
      expect(kinds).toContain(kind)
  })
})

// A process takes a third of a second to start: the short form kills at every sixth operation.
const STRIDE = process.env.HEADRACE_CRASH === "long" ? 1 : 6

describe(`SIGKILL at ${STRIDE === 1 ? "every" : `every ${STRIDE}th`} operation of a real process`, () => {
  it("shows the old revision or the new one, keeps what was acknowledged, and goes on", async () => {
    let next = 0
    let ended = false
    let killed = 0
    async function work(): Promise<void> {
      while (!ended) {
        const index = next
        next += STRIDE
        const died = await withMemoryFolder(async (folder) => {
          const path = join(folder, "shown")
          const { acked, signal } = await runVictim(path, index)
          const found = await lookAtProjection(path, REVISIONS)
          expect(found, `operation ${index}`).not.toBe("torn")
          expect(found === "nothing" ? -1 : found, `operation ${index}`).toBeGreaterThanOrEqual(acked)
          expect(
            await recoverAndPublish(path, REVISIONS, found, { lockWait: 1000 }),
            `operation ${index}`,
          ).toEqual([])
          return signal === "SIGKILL"
        })
        if (died) killed += 1
        else ended = true
      }
    }
    await Promise.all([work(), work()])
    expect(killed * STRIDE).toBeGreaterThan(60)
  }, 120_000)
})

async function runVictim(path: string, index: number): Promise<{ acked: number; signal: string | null }> {
  const child = spawn(process.execPath, ["--conditions=source", VICTIM, path, String(index)], {
    stdio: ["ignore", "pipe", "inherit"],
  })
  let printed = ""
  child.stdout.on("data", (chunk: Buffer) => {
    printed += chunk.toString()
  })
  const signal = await new Promise<string | null>((resolve, reject) => {
    child.on("error", reject)
    child.on("close", (code, name) =>
      code ? reject(new Error(`the victim ended with ${code}`)) : resolve(name),
    )
  })
  return { acked: printed.trim().split("\n").filter(Boolean).length - 1, signal }
}
