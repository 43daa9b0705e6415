import { join } from "node:path"
import type { Disk } from "@headrace/agent/publish/disk"
import { openNodeDisk } from "@headrace/agent/publish/node-disk"
import { describe, expect, it } from "vitest"
import type { ProjectionOptions } from "../harness/with-projection.ts"
import { type Finding, lookAtProjection, recoverAndPublish } from "./check-projection.ts"
import { publishAll, REVISIONS } from "./scenario.ts"
import { type CutMethod, cutMethods, type FileSystem, powerCutMissing, withImage } from "./with-image.ts"
import { wrapDisk } from "./wrap-disk.ts"

const LONG = process.env.HEADRACE_CRASH === "long"
/** The short form cuts at every so many operations. */
const STRIDE = LONG ? 1 : 16
const DURABILITIES = ["fsync", "syncfs"] as const

interface Cut {
  acknowledged: number
  found: Finding
  wrong: string[]
}

/** Cuts the power before operation 0, `stride`, … of publishing the scenario, each time on a fresh file system. */
async function cutEverywhere(
  type: FileSystem,
  method: CutMethod,
  stride: number,
  options: ProjectionOptions,
  weaken: (disk: Disk) => Disk = (disk) => disk,
): Promise<Cut[]> {
  return await withImage(type, method, async (withCopy) => {
    const cuts: Cut[] = []
    for (let index = 0; ; index += stride) {
      const cut = await withCopy(async (image) => {
        const path = join(image.path, "shown")
        let count = 0
        let dead = false
        let acknowledged = -1
        const disk = wrapDisk(
          weaken(openNodeDisk()),
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

for (const type of ["ext4", "xfs", "btrfs"] as const) {
  const missing = powerCutMissing(type)
  const methods = LONG ? cutMethods(type) : cutMethods(type).slice(0, 1)
  if (missing) process.stdout.write(`power cuts on ${type} are skipped: ${missing}\n`)

  describe.skipIf(missing).each(methods)(`power cuts on ${type} by %s`, (method) => {
    it.each(DURABILITIES)(
      "loses nothing and tears nothing (%s)",
      async (durability) => {
        const cuts = await cutEverywhere(type, method, STRIDE, { durability })

        expect(broken(cuts)).toEqual([])
        expect(cuts.length * STRIDE).toBeGreaterThan(100)
        expect(cuts.at(-1)?.acknowledged).toBe(REVISIONS.length - 1)
      },
      600_000,
    )

    it("does both when nothing is synced (negative control)", async () => {
      const cuts = await cutEverywhere(type, method, STRIDE * 2, { durability: "none" })

      expect(broken(cuts).length).toBeGreaterThan(0)
    }, 600_000)

    it("loses acknowledged revisions when folders are not synced (negative control)", async () => {
      const cuts = await cutEverywhere(type, method, STRIDE * 2, { durability: "fsync" }, withoutFolderSync)

      expect(broken(cuts).length).toBeGreaterThan(0)
    }, 600_000)
  })
}

/** A publisher that forgets that fsync of a file does not cover its name. */
function withoutFolderSync(disk: Disk): Disk {
  const folders = new Set<number>()
  return {
    ...disk,
    openDirectory: (path) => {
      const folder = disk.openDirectory(path)
      folders.add(folder.fd)
      return folder
    },
    close: (handle) => {
      folders.delete(handle.fd)
      disk.close(handle)
    },
    sync: async (handle) => {
      if (!folders.has(handle.fd)) await disk.sync(handle)
    },
  }
}
