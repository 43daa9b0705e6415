import fs from "node:fs"
import { join } from "node:path"
import { createLog } from "@headrace/shared/observe/log"
import { withFolder } from "@headrace/test/harness/with-folder"
import { projectionOptions, revisionOf } from "@headrace/test/harness/with-projection"
import { describe, expect, it } from "vitest"
import type { Disk } from "../disk/disk.ts"
import { diskError } from "../disk/disk-error.ts"
import { openNodeDisk } from "../disk/node-disk.ts"
import { openProjection } from "./open-projection.ts"

const keep = { revisions: 1, age: 0, bytes: 1e9 }

/** A disk on which what lies under names that match cannot be removed or renamed, as immutable files cannot. */
function resistingDisk(name: RegExp, errno: string): Disk {
  const real = openNodeDisk()
  const refuse = (path: string) => {
    const at = path.replace(/^\/proc\/self\/fd\/(\d+)/, (_text, fd) => fs.readlinkSync(`/proc/self/fd/${fd}`))
    if (name.test(at)) throw diskError("remove", at, Object.assign(new Error(errno), { code: errno }))
  }
  return {
    ...real,
    unlink(path) {
      refuse(path)
      real.unlink(path)
    },
    removeDirectory(path) {
      refuse(path)
      real.removeDirectory(path)
    },
    rename(from, to) {
      if (errno === "EXDEV") refuse(from)
      real.rename(from, to)
    },
  }
}

describe("a leftover that resists removal", () => {
  it.each([".staging-1-aa", ".trash-0001-1-aa", "0007"])(
    "(%s) keeps no projection from opening or publishing, and is warned of",
    async (name) => {
      await withFolder(async (folder) => {
        const path = join(folder, "shown")
        const first = await openProjection(projectionOptions(path, { keep }))
        await first.publish(revisionOf(1, { a: "1" }))
        await first.close()
        fs.mkdirSync(join(path, "..rev", name))
        fs.writeFileSync(join(path, "..rev", name, "immutable"), "")

        const disk = resistingDisk(/immutable/, "EPERM")
        const lines: { msg: string; path: string; err: { message: string } }[] = []
        const destination = { write: (text: string) => void lines.push(JSON.parse(text)) }
        const log = createLog("test", { level: "warn", destination })
        const projection = await openProjection(projectionOptions(path, { keep, disk, log }))
        await projection.publish(revisionOf(2, { a: "2" }))
        await projection.settled()
        expect(fs.readFileSync(join(path, "a"), "utf8")).toBe("2")
        await projection.publish(revisionOf(3, { a: "3" }))
        await projection.settled()
        // What does not resist is removed all the same.
        expect(fs.existsSync(join(path, "..rev/0001"))).toBe(false)
        await projection.close()
        const warned = lines.filter(({ msg }) => /cannot be removed; it stays|resists; it stays/.test(msg))
        expect(warned).toMatchObject([{ path, err: expect.anything() }])
        expect(JSON.stringify(warned)).toContain("immutable")
      })
    },
  )
})

describe("a revision that no rename moves (overlayfs: EXDEV)", () => {
  it("is removed in its place", async () => {
    await withFolder(async (folder) => {
      const path = join(folder, "shown")
      const disk = resistingDisk(/\.\.rev\/0001$/, "EXDEV")
      // Only renames fail with EXDEV.
      const { unlink, removeDirectory } = openNodeDisk()
      const projection = await openProjection(
        projectionOptions(path, { keep, disk: { ...disk, unlink, removeDirectory } }),
      )
      await projection.publish(revisionOf(1, { a: "1" }))
      await projection.publish(revisionOf(2, { a: "2" }))
      await projection.settled()
      expect(fs.existsSync(join(path, "..rev/0001"))).toBe(false)
      await projection.close()
    })
  })
})
