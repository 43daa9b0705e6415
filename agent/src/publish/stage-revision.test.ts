import fs from "node:fs"
import { join } from "node:path"
import { revisionOf, withProjection } from "@headrace/test/harness/with-projection"
import { expect, it } from "vitest"
import type { Handle } from "../disk/disk.ts"
import { openNodeDisk } from "../disk/node-disk.ts"

it("closes a staged folder once, though the close fails, and publishes all the same", async () => {
  const disk = openNodeDisk()
  const failed: Handle[] = []
  const again: Handle[] = []
  const failing = {
    ...disk,
    close: (handle: Handle) => {
      if (failed.includes(handle)) again.push(handle)
      if (failed.length > 0 || !/\/\.staging-[^/]+$/.test(handle.path)) {
        disk.close(handle)
        return
      }
      // As close(2) does: the error comes, and the number is free.
      failed.push(handle)
      disk.close(handle)
      throw Object.assign(new Error("input/output error"), { code: "EIO" })
    },
  }
  await withProjection({ disk: failing, prestage: false }, async (projection, path) => {
    expect(await projection.publish(revisionOf(1, { a: "1" }))).toMatchObject({ outcome: "published" })
    expect(failed).toHaveLength(1)
    expect(again).toEqual([])
    expect(fs.readFileSync(join(path, "a"), "utf8")).toBe("1")
  })
})

it.each([true, false])(
  "links no renamed file out of a folder that was made a link to elsewhere (clone: %s)",
  async (prestage) => {
    await withProjection({ prestage }, async (projection, path) => {
      await projection.publish(revisionOf(1, { "d/a": "same" }))
      await projection.settled()
      const published = fs.realpathSync(join(path, "d"))
      const elsewhere = `${path}-elsewhere`
      fs.renameSync(published, elsewhere)
      fs.symlinkSync(elsewhere, published)
      const outside = fs.statSync(join(elsewhere, "a")).ino
      await projection.publish(revisionOf(2, { b: "same" }))
      expect(fs.readFileSync(join(path, "b"), "utf8")).toBe("same")
      expect(fs.statSync(join(path, "b")).ino).not.toBe(outside)
    })
  },
)
