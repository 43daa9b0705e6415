import fs from "node:fs"
import { join } from "node:path"
import { withFolder } from "@headrace/test/harness/with-folder"
import { projectionOptions, revisionOf } from "@headrace/test/harness/with-projection"
import { expect, it, vi } from "vitest"
import { openNodeDisk } from "../disk/node-disk.ts"
import { openProjection } from "./open-projection.ts"

const keep = { revisions: 1, age: 0, bytes: 1e9 }

it("a publish does not wait until all of a large revision is removed, however long nothing was published", async () => {
  vi.useFakeTimers({ toFake: ["performance"] })
  try {
    await withFolder(async (folder) => {
      const disk = openNodeDisk()
      const isUnderWay = Promise.withResolvers<void>()
      let removed = 0
      function unlink(path: string): void {
        removed += 1
        if (removed > 100) isUnderWay.resolve()
        disk.unlink(path)
      }
      const options = { keep, disk: { ...disk, unlink }, prestage: false }
      const projection = await openProjection(projectionOptions(join(folder, "shown"), options))
      const names = Array.from({ length: 3000 }, (_, number) => `d/${number}`)
      await projection.publish(revisionOf(1, Object.fromEntries(names.map((name) => [name, "x"]))))
      await projection.settled()
      vi.advanceTimersByTime(60_000)
      removed = 0
      await projection.publish(revisionOf(2, { a: "2" }))
      await isUnderWay.promise

      await projection.publish(revisionOf(3, { a: "3" }))

      expect(removed).toBeLessThan(2000)
      await projection.settled()
      expect(removed).toBeGreaterThan(3000)
      await projection.close()
    })
  } finally {
    vi.useRealTimers()
  }
})

it("old revisions go although there is no room for a clone", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "shown")
    const disk = openNodeDisk()
    let isFull = false
    function makeDirectory(place: string, mode: number): void {
      if (isFull) throw Object.assign(new Error("no room"), { code: "ENOSPC" })
      disk.makeDirectory(place, mode)
    }
    const projection = await openProjection(
      projectionOptions(path, { keep, disk: { ...disk, makeDirectory } }),
    )
    await projection.publish(revisionOf(1, { a: "1" }))
    await projection.settled()
    await projection.publish(revisionOf(2, { a: "2" }))
    isFull = true
    await projection.settled()

    expect(fs.readdirSync(join(path, "..rev")).sort()).toEqual(["0002", "published.json"])
    await projection.close()
  })
})
