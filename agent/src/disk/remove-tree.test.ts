import { execFileSync } from "node:child_process"
import fs from "node:fs"
import { join } from "node:path"
import { whySkipped } from "@headrace/test/harness/why-skipped"
import { withFolder } from "@headrace/test/harness/with-folder"
import { describe, expect, it } from "vitest"
import { openNodeDisk } from "./node-disk.ts"
import { removeTree } from "./remove-tree.ts"

const isNotRoot = process.getuid?.() === 0 ? undefined : "only root can mount"

const MOUNTS: [string, (outside: string, place: string) => string[]][] = [
  ["a folder is bound", (outside, place) => ["--bind", outside, place]],
  ["a file system is mounted", (_outside, place) => ["-t", "tmpfs", "tmpfs", place]],
]

function makeTree(folder: string): void {
  fs.mkdirSync(join(folder, "tree/d/e"), { recursive: true })
  fs.writeFileSync(join(folder, "tree/d/e/f"), "1")
  fs.mkdirSync(join(folder, "outside"))
  fs.writeFileSync(join(folder, "outside/kept"), "1")
  fs.symlinkSync("../../outside", join(folder, "tree/d/link"))
}

describe("removeTree", () => {
  it("removes all beneath a folder, and links without what they lead to", async () => {
    await withFolder(async (folder) => {
      makeTree(folder)
      await removeTree(openNodeDisk(), join(folder, "tree"))
      expect(fs.readdirSync(folder)).toEqual(["outside"])
      expect(fs.readdirSync(join(folder, "outside"))).toEqual(["kept"])
      await removeTree(openNodeDisk(), join(folder, "tree"))
    })
  })

  it.skipIf(isNotRoot).each(MOUNTS)(
    `leaves what is there where %s over a folder in it${whySkipped(isNotRoot)}`,
    async (_what, mount) => {
      await withFolder(async (folder) => {
        makeTree(folder)
        const [tree, place] = [join(folder, "tree"), join(folder, "tree/d/e")]
        execFileSync("mount", mount(join(folder, "outside"), place))
        fs.writeFileSync(join(place, "kept"), "1")
        try {
          await expect(removeTree(openNodeDisk(), tree)).rejects.toMatchObject({ code: "disk/busy" })
          expect(fs.readFileSync(join(place, "kept"), "utf8")).toBe("1")
        } finally {
          execFileSync("umount", ["--lazy", place])
        }
        await removeTree(openNodeDisk(), tree)
        expect(fs.readdirSync(folder)).toEqual(["outside"])
        expect(fs.readdirSync(join(folder, "outside"))).toEqual(["kept"])
      })
    },
  )

  it.each(["d", "d/e"])(
    "follows no link that takes the place of %s after it was looked at",
    async (victim) => {
      await withFolder(async (folder) => {
        makeTree(folder)
        const disk = openNodeDisk()
        const swapped = join(folder, "tree", victim)
        const hostile = {
          ...disk,
          openDirectory: (path: string) => {
            if (path.endsWith(victim.slice(-2)) && fs.lstatSync(swapped).isDirectory()) {
              fs.renameSync(swapped, join(folder, "taken"))
              fs.symlinkSync(join(folder, "outside"), swapped)
            }
            return disk.openDirectory(path)
          },
        }

        await expect(removeTree(hostile, join(folder, "tree"))).rejects.toMatchObject({
          code: "disk/not-a-folder",
        })
        expect(fs.readdirSync(join(folder, "outside"))).toEqual(["kept"])
      })
    },
  )
})
