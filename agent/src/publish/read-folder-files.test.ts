import fs from "node:fs"
import { join } from "node:path"
import { withFolder } from "@headrace/test/harness/with-folder"
import { describe, expect, it } from "vitest"
import { readFolderFiles, revisionDigest } from "./read-folder-files.ts"

describe("readFolderFiles", () => {
  it("gives files by path with mode and content, links inside of the folder followed", async () => {
    await withFolder(async (folder) => {
      fs.mkdirSync(join(folder, "d"))
      fs.writeFileSync(join(folder, "d/run"), "#!", { mode: 0o755 })
      fs.writeFileSync(join(folder, "a"), "1")
      fs.symlinkSync("d/run", join(folder, "link"))
      fs.symlinkSync("d", join(folder, "e"))
      const files = readFolderFiles(folder)

      expect(files.map(({ path, mode, size }) => `${path} ${mode.toString(8)} ${size}`)).toEqual([
        "a 444 1",
        "d/run 555 2",
        "e/run 555 2",
        "link 555 2",
      ])
      expect((await files[3]?.read())?.toString()).toBe("#!")
    })
  })

  it("takes a mount of a ConfigMap for what it shows, and leaves out .git and lost+found", async () => {
    await withFolder((folder) => {
      fs.mkdirSync(join(folder, "..2026"))
      fs.writeFileSync(join(folder, "..2026/key"), "1")
      fs.symlinkSync("..2026", join(folder, "..data"))
      fs.symlinkSync("..data/key", join(folder, "key"))
      for (const name of [".git", "lost+found"]) {
        fs.mkdirSync(join(folder, name))
        fs.writeFileSync(join(folder, name, "x"), "")
      }

      expect(readFolderFiles(folder).map(({ path }) => path)).toEqual(["key"])
    })
  })

  it.each([
    ["leads outside", (folder: string) => fs.symlinkSync("/etc/hosts", join(folder, "x"))],
    ["dangles", (folder: string) => fs.symlinkSync("nothing", join(folder, "x"))],
    ["leads to itself", (folder: string) => fs.symlinkSync("x", join(folder, "x"))],
    ["leads up", (folder: string) => fs.symlinkSync(".", join(folder, "x"))],
  ])("refuses a link that %s", async (_what, make) => {
    await withFolder((folder) => {
      make(folder)
      expect(() => readFolderFiles(folder)).toThrow(expect.objectContaining({ code: "publish/bad-source" }))
    })
  })

  it("names the same content and modes the same, and others otherwise", async () => {
    await withFolder((folder) => {
      const file = join(folder, "a")
      fs.writeFileSync(file, "1")
      const first = revisionDigest(readFolderFiles(folder))
      fs.utimesSync(file, 1, 1)
      expect(revisionDigest(readFolderFiles(folder))).toBe(first)
      fs.chmodSync(file, 0o755)
      expect(revisionDigest(readFolderFiles(folder))).not.toBe(first)
    })
  })
})
