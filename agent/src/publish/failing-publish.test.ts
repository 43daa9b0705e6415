import fs from "node:fs"
import { join } from "node:path"
import { withFolder } from "@headrace/test/harness/with-folder"
import { projectionOptions, revisionOf } from "@headrace/test/harness/with-projection"
import { expect, it } from "vitest"
import { wrapDisk } from "../../../test/crash/wrap-disk.ts"
import { openNodeDisk } from "../disk/node-disk.ts"
import { openProjection } from "./open-projection.ts"

it.each(["links", "file"] as const)(
  "leaves nothing behind on a full disk, however often it is tried (layout %s)",
  async (layout) => {
    await withFolder(async (folder) => {
      const path = join(folder, "shown")
      let isFull = false
      const disk = wrapDisk(openNodeDisk(), ({ name, paths }) => {
        const shows =
          (name === "write" || name === "symlink") && paths.some((text) => text.includes("/.link-"))
        if (isFull && shows) throw Object.assign(new Error("full"), { code: "ENOSPC" })
      })
      const projection = await openProjection(projectionOptions(path, { layout, disk }))
      await projection.publish(revisionOf(1, { a: "1" }))
      await projection.settled()
      const store = layout === "links" ? join(path, "..rev") : join(folder, ".headrace-shown")
      const kept = () =>
        fs
          .readdirSync(store)
          .filter((name) => !name.startsWith(".staging-"))
          .sort()
      const before = kept()
      isFull = true
      for (let attempt = 0; attempt < 3; attempt += 1) {
        await expect(projection.publish(revisionOf(2, { a: "2" }))).rejects.toThrow("full")
        await projection.settled()
      }
      expect(kept()).toEqual(before)
      isFull = false
      await projection.publish(revisionOf(2, { a: "2" }))
      await projection.close()
    })
  },
)

it("opens two projections at once whose common folder is not there yet", async () => {
  await withFolder(async (folder) => {
    const paths = ["one", "two"].map((name) => join(folder, "new/deep", name))
    const opened = await Promise.all(paths.map((path) => openProjection(projectionOptions(path))))
    for (const projection of opened) await projection.close()
    expect(fs.readdirSync(join(folder, "new/deep")).sort()).toEqual(["one", "two"])
  })
})

it("replaces a file in the place of a published name's link while it publishes, and refuses it when it opens", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "shown")
    const projection = await openProjection(projectionOptions(path))
    await projection.publish(revisionOf(1, { a: "1" }))
    await projection.settled()
    editAsSedDoes(join(path, "a"))
    await projection.publish(revisionOf(2, { a: "2" }))
    expect(fs.readFileSync(join(path, "a"), "utf8")).toBe("2")
    await projection.close()

    editAsSedDoes(join(path, "a"))
    const foreign = { code: "publish/foreign-file", message: expect.stringContaining(`${path}/a`) }
    await expect(openProjection(projectionOptions(path))).rejects.toMatchObject(foreign)
    expect(fs.readFileSync(join(path, "a"), "utf8")).toBe("edited")
    fs.rmSync(join(path, "a"))
    const again = await openProjection(projectionOptions(path))
    await again.publish(revisionOf(3, { a: "3" }))
    expect(fs.readFileSync(join(path, "a"), "utf8")).toBe("3")
    await again.close()
  })
})

/** What `sed -i` makes of a link. */
function editAsSedDoes(path: string): void {
  fs.rmSync(path)
  fs.writeFileSync(path, "edited")
}

it("takes a file that cannot be read for a damaged one, and rewrites it", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "shown")
    const options = projectionOptions(path)
    const first = await openProjection(options)
    await first.publish(revisionOf(1, { a: "1", b: "1" }))
    await first.close()
    // As after a copy of the store: neither inode nor time say that the content is right.
    const real = fs.realpathSync(join(path, "a"))
    fs.utimesSync(real, 1, 1)
    const disk = openNodeDisk()
    const isBad = (text: string) => text.includes("0001") && text.endsWith("/a")
    const failing = {
      ...disk,
      read: (text: string) => {
        if (isBad(text)) throw Object.assign(new Error("bad block"), { code: "EIO" })
        return disk.read(text)
      },
    }
    const projection = await openProjection({ ...options, disk: failing })
    expect(projection.damaged()).toEqual(["a"])
    await projection.publish(revisionOf(2, { a: "1", b: "2" }))
    expect(fs.readFileSync(join(path, "a"), "utf8")).toBe("1")
    await projection.close()
  })
})
