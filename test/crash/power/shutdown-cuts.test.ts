import { createRequire } from "node:module"
import { join } from "node:path"
import { openNodeDisk } from "@headrace/agent/disk/node-disk"
import { describe, expect, it } from "vitest"
import { whySkipped } from "../../harness/why-skipped.ts"
import type { ProjectionOptions } from "../../harness/with-projection.ts"
import { type Finding, lookAtProjection, recoverAndPublish } from "../check-projection.ts"
import { publishAll, REVISIONS } from "../scenario.ts"
import { wrapDisk } from "../wrap-disk.ts"
import { type FileSystem, powerCutMissing } from "./file-systems.ts"
import { withShutdown } from "./with-shutdown.ts"

const LONG = process.env.HEADRACE_CRASH === "long"
/** The short form cuts at every so many operations, on ext4 alone. */
const STRIDE = LONG ? 1 : 32
const TYPES = LONG ? (["ext4", "xfs"] as const) : (["ext4"] as const)
const DURABILITIES = ["fsync", "syncfs"] as const

interface Cut {
  acknowledged: number
  found: Finding
  wrong: string[]
}

/**
 * Has the kernel drop all that a file system has not flushed, before operation 0, `stride`, … of publishing the
 * scenario, each time on a fresh one.
 */
async function shutDownEverywhere(
  type: FileSystem,
  stride: number,
  options: ProjectionOptions,
): Promise<Cut[]> {
  return await withShutdown(type, async (withCopy) => {
    const cuts: Cut[] = []
    for (let index = 0; ; index += stride) {
      const cut = await withCopy(async (image) => {
        const path = join(image.path, "shown")
        let count = 0
        let dead = false
        let acknowledged = -1
        const disk = wrapDisk(
          openNodeDisk(),
          () => {
            if (count++ !== index) return
            dead = true
            image.cut()
            throw new Error("the power is off")
          },
          () => dead,
        )
        await publishAll(path, { ...options, disk }, (revision) => {
          acknowledged = REVISIONS.indexOf(revision)
        }).catch((error: unknown) => {
          if (!dead) throw error
        })
        const ended = !dead
        // The last cut comes after everything was acknowledged.
        if (ended) image.cut()
        disk.die()
        image.powerUp()
        const found = await lookAtProjection(path, REVISIONS)
        const wrong = found === "torn" ? [] : await recoverAndPublish(path, REVISIONS, found)
        return { acknowledged, found, wrong, ended }
      })
      cuts.push(cut)
      if (cut.ended) return cuts
    }
  })
}

/** Cuts that broke a promise: torn, an acknowledged revision lost, or no way on. */
function broken(cuts: readonly Cut[]): Cut[] {
  return cuts.filter(({ acknowledged, found, wrong }) => {
    if (found === "torn" || wrong.length > 0) return true
    return (found === "nothing" ? -1 : found) < acknowledged
  })
}

function shutdownMissing(type: FileSystem): string | undefined {
  try {
    createRequire(import.meta.url)("koffi")
    return powerCutMissing(type)
  } catch {
    return "koffi is not installed"
  }
}

for (const type of TYPES) {
  const missing = shutdownMissing(type)
  if (missing) process.stdout.write(`shutting ${type} down is skipped: ${missing}\n`)

  describe.skipIf(missing)(`shutting ${type} down before an operation${whySkipped(missing)}`, () => {
    it.each(DURABILITIES)(
      "loses nothing and tears nothing (%s)",
      async (durability) => {
        const cuts = await shutDownEverywhere(type, STRIDE, { durability })
        if (LONG) process.stdout.write(`${type}, ${durability}: shut down ${cuts.length} times\n`)

        expect(broken(cuts)).toEqual([])
        expect(cuts.length * STRIDE).toBeGreaterThan(100)
        expect(cuts.at(-1)?.acknowledged).toBe(REVISIONS.length - 1)
      },
      LONG ? 3_600_000 : 120_000,
    )

    it(
      "loses acknowledged revisions when nothing is synced (negative control)",
      async () => {
        const cuts = await shutDownEverywhere(type, STRIDE * 2, { durability: "none" })

        expect(broken(cuts).length).toBeGreaterThan(0)
      },
      LONG ? 3_600_000 : 120_000,
    )
  })
}
