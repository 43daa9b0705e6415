import { spawn } from "node:child_process"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { openNodeDisk } from "@headrace/agent/disk/node-disk"
import { describe, expect, it } from "vitest"
import { withFolder } from "../harness/with-folder.ts"
import type { ProjectionOptions } from "../harness/with-projection.ts"
import { expectSound } from "./expect-sound.ts"
import { firstOperation, STEP } from "./operation-step.ts"
import { publishAll, revisionsOf } from "./scenario.ts"
import { wrapDisk } from "./wrap-disk.ts"

const VICTIM = fileURLToPath(new URL("victim-process.ts", import.meta.url))

const VARIANTS: [string, ProjectionOptions][] = [
  ["fsync, a clone staged", { durability: "fsync" }],
  ["fsync, no clone", { durability: "fsync", prestage: false }],
  ["syncfs, a clone staged", { durability: "syncfs" }],
  ["a link by another name, without visible links", { link: "current", visibleLinks: false }],
  ["a link to each file", { linksEachFile: true }],
  [
    "a link to each file, above the store",
    { link: "../..data", visibleLinks: true, linksEachFile: true, durability: "fsync" },
  ],
  ["layout exchange, a clone staged", { layout: "exchange" }],
  ["layout exchange, syncfs, no clone", { layout: "exchange", durability: "syncfs", prestage: false }],
  ["layout file", { layout: "file" }],
]
const LAYOUTS = ["links", "exchange", "file"] as const
const LONG = process.env.HEADRACE_CRASH === "long"

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
    if (!dead) acked = revisionsOf(options.layout).indexOf(revision)
  }).catch((error: unknown) => {
    if (!dead) throw error
  })
  disk.die()
  return { acked, died: dead }
}

describe.each(VARIANTS)("dying at operations (%s)", (name, options) => {
  it(`shows the old revision or the new one, keeps what was acknowledged, and goes on (every ${STEP})`, async () => {
    let operations = 0
    for (let index = firstOperation(name); ; index += STEP) {
      const died = await withFolder(async (folder) => {
        const path = join(folder, "deep/shown")
        const { acked, died } = await dieAt(path, index, options)
        const found = await expectSound(path, acked, `operation ${index}`, options)
        expect(found === "nothing" ? -1 : found, `operation ${index}`).toBeLessThanOrEqual(acked + 1)
        return died
      })
      if (!died) break
      operations += STEP
    }
    expect(operations).toBeGreaterThan(60)
  })
})

// A process takes a third of a second to start: the short form kills at some operations only.
const STRIDE = LONG ? { links: 1, exchange: 1, file: 1 } : { links: 90, exchange: 120, file: 60 }

describe.each(LAYOUTS)("SIGKILL of a real process at operations of layout %s", (layout) => {
  it(
    `shows the old revision or the new one, keeps what was acknowledged, and goes on (every ${STRIDE[layout]})`,
    async () => {
      let next = 0
      let ended = false
      let killed = 0
      async function work(): Promise<void> {
        while (!ended) {
          const index = next
          next += STRIDE[layout]
          const died = await withFolder(async (folder) => {
            const path = join(folder, "shown")
            const { acked, signal } = await runVictim(path, index, layout)
            await expectSound(path, acked, `operation ${index}`, { layout, lockWait: 1000 })
            return signal === "SIGKILL"
          })
          if (died) killed += 1
          else ended = true
        }
      }
      await Promise.all([work(), work()])
      if (LONG) process.stdout.write(`layout ${layout}: killed at each of ${killed} operations\n`)
      expect(killed * STRIDE[layout]).toBeGreaterThan(60)
    },
    LONG ? 3_600_000 : 600_000,
  )
})

async function runVictim(
  path: string,
  index: number,
  layout: string,
): Promise<{ acked: number; signal: string | null }> {
  const child = spawn(process.execPath, ["--conditions=source", VICTIM, path, String(index), layout], {
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
