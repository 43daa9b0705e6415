import fs from "node:fs"
import { join } from "node:path"
import { afterDamage, FILES, publishNext } from "@headrace/test/harness/after-damage"
import { withFolder } from "@headrace/test/harness/with-folder"
import { projectionOptions, revisionOf, withProjection } from "@headrace/test/harness/with-projection"
import { describe, expect, it } from "vitest"
import type { Disk } from "../disk/disk.ts"
import { openNodeDisk } from "../disk/node-disk.ts"
import { openProjection } from "./open-projection.ts"

describe("damage and foreign things", () => {
  it("leaves lost+found and other foreign files alone, at the top and in the store", async () => {
    await afterDamage(
      (path) => {
        for (const folder of [path, join(path, "..rev")]) {
          fs.mkdirSync(join(folder, "lost+found"))
          fs.writeFileSync(join(folder, "lost+found/x"), "theirs")
        }
      },
      async (open, path) => {
        await publishNext(await open(), path)
        for (const folder of [path, join(path, "..rev")])
          expect(fs.readFileSync(join(folder, "lost+found/x"), "utf8")).toBe("theirs")
      },
    )
  })

  it.each(["file", "link"])(
    "refuses to replace a foreign %s that is where a name has to go, and changes nothing",
    async (kind) => {
      await afterDamage(
        (path) =>
          kind === "file"
            ? fs.writeFileSync(join(path, "n"), "theirs")
            : fs.symlinkSync("/etc/hosts", join(path, "n")),
        async (open, path) => {
          const projection = await open()
          const before = fs.readdirSync(join(path, "..rev")).filter((name) => !name.startsWith(".staging"))
          await expect(projection.publish(revisionOf(2, { a: "2", n: "ours" }))).rejects.toMatchObject({
            code: "publish/foreign-file",
          })
          expect(fs.readFileSync(join(path, "a"), "utf8")).toBe("1")
          expect(fs.readdirSync(join(path, "..rev")).filter((name) => !name.startsWith(".staging"))).toEqual(
            before,
          )
          await publishNext(projection, path)
        },
      )
    },
  )

  it.each(["a file", "a directory", "a link of another program"])(
    "refuses %s in place of the link",
    async (kind) => {
      await withFolder(async (folder) => {
        const link = join(folder, "..data")
        if (kind === "a file") fs.writeFileSync(link, "")
        else fs.mkdirSync(kind === "a directory" ? link : join(folder, "..2026_theirs"))
        if (kind === "a link of another program") fs.symlinkSync("..2026_theirs", link)
        await expect(openProjection(projectionOptions(folder))).rejects.toMatchObject({
          code: "publish/foreign-file",
        })
        expect(fs.lstatSync(link).isSymbolicLink()).toBe(kind.startsWith("a link"))
      })
    },
  )

  it("never follows a link in place of the store", async () => {
    await withFolder(async (folder) => {
      fs.mkdirSync(join(folder, "outside"))
      fs.mkdirSync(join(folder, "shown"))
      fs.symlinkSync("../outside", join(folder, "shown/..rev"))
      await expect(openProjection(projectionOptions(join(folder, "shown")))).rejects.toMatchObject({
        code: "publish/foreign-store",
      })
      expect(fs.readdirSync(join(folder, "outside"))).toEqual([])
    })
  })

  it("clears a revision that lost its manifest, and one whose removal was cut short", async () => {
    await afterDamage(
      (path) => {
        fs.mkdirSync(join(path, "..rev/0000/c0"), { recursive: true })
        fs.writeFileSync(join(path, "..rev/0000/c0/half"), "")
        fs.mkdirSync(join(path, "..rev/.trash-0000-1-abc/c0"), { recursive: true })
      },
      async (open, path) => {
        await publishNext(await open(), path)
        expect(fs.readdirSync(join(path, "..rev")).filter((name) => name.includes("0000"))).toEqual([])
      },
    )
  })

  it("goes on showing a revision whose manifest was destroyed, keeps the others, and writes all of the next one", async () => {
    await afterDamage(
      () => undefined,
      async (open, path) => {
        const first = await open()
        await publishNext(first, path)
        await first.close()
        const manifest = join(path, "..rev/0002/manifest.json")
        fs.chmodSync(manifest, 0o644)
        fs.writeFileSync(manifest, "{")

        const projection = await open()
        expect(fs.readFileSync(join(path, "a"), "utf8")).toBe("next")
        expect(fs.existsSync(join(path, "..rev/0001/c1/a"))).toBe(true)
        const result = await projection.publish(revisionOf(3, { a: "3", "d/b": "2" }))
        expect(result).toMatchObject({ number: 3, filesWritten: 2 })
        expect(fs.readFileSync(join(path, "a"), "utf8")).toBe("3")
      },
    )
  })

  it("is not stopped by things of another kind under names that it uses", async () => {
    await afterDamage(
      (path) => {
        fs.writeFileSync(join(path, "..rev/.staging-x"), "a file")
        fs.mkdirSync(join(path, "..rev/.link-x/folder"), { recursive: true })
        fs.writeFileSync(join(path, "..rev/.trash-x"), "a file")
        fs.writeFileSync(join(path, "..rev/0009"), "a file")
        fs.symlinkSync("/etc", join(path, "..rev/0008"))
      },
      async (open, path) => {
        await publishNext(await open(), path)
        const names = fs
          .readdirSync(join(path, "..rev"))
          .filter((name) => !/^(lock|\.staging-\d+-\w+)$/.test(name))
        expect(names.sort()).toEqual(["0001", "0002", "published.json"])
        expect(fs.existsSync("/etc/hosts")).toBe(true)
      },
    )
  })

  it.each(["manifest.json", "published.json"])(
    "stops at a newer format of %s with what is published in force",
    async (name) => {
      await afterDamage(
        (path) => {
          const file = join(path, name === "manifest.json" ? "..rev/0001" : "..rev", name)
          fs.rmSync(file, { force: true })
          fs.writeFileSync(file, JSON.stringify({ format: 99 }))
        },
        async (open, path) => {
          await expect(open()).rejects.toMatchObject({ code: "publish/newer-format" })
          expect(fs.readFileSync(join(path, "a"), "utf8")).toBe("1")
        },
      )
    },
  )

  it("rewrites a file that a consumer has changed in place, in a new inode", async () => {
    await afterDamage(
      () => undefined,
      async (open, path) => {
        const projection = await open()
        await projection.publish(revisionOf(2, { ...FILES, a: "2" }))
        await projection.settled()
        const shared = join(path, "..data/d/b")
        const inode = fs.statSync(shared).ino
        fs.chmodSync(shared, 0o644)
        fs.writeFileSync(shared, "changed by a consumer")
        await projection.publish(revisionOf(3, { ...FILES, a: "3" }))
        await projection.settled()
        await projection.publish(revisionOf(4, { ...FILES, a: "4" }))

        expect(fs.readFileSync(join(path, "d/b"), "utf8")).toBe("2")
        expect(fs.statSync(join(path, "d/b")).ino).not.toBe(inode)
      },
    )
  })

  it.each([true, false])(
    "finds what a consumer has changed in place just before a publish, cloned ahead: %s",
    async (prestage) => {
      await withProjection({ prestage }, async (projection, path) => {
        await projection.publish(revisionOf(1, { a: "right", b: "1" }))
        await projection.settled()
        const shared = join(path, "..data/a")
        fs.chmodSync(shared, 0o644)
        fs.writeFileSync(shared, "wrong")
        fs.chmodSync(shared, 0o444)
        await projection.publish(revisionOf(2, { a: "right", b: "2" }))
        expect(await projection.examine()).toBe("damaged")
        await projection.publish(revisionOf(2, { a: "right", b: "2" }))

        expect(fs.readFileSync(join(path, "a"), "utf8")).toBe("right")
        expect(await projection.examine()).toBe("right")
      })
    },
  )

  it.each(["EPERM", "EMLINK", "EXDEV"])("copies where links are refused with %s", async (code) => {
    const real = openNodeDisk()
    const disk: Disk = {
      ...real,
      link: () => {
        throw Object.assign(new Error("refused"), { code })
      },
    }
    await afterDamage(
      () => undefined,
      async (open, path) => {
        const projection = await open()
        const revision = revisionOf(2, { a: "2", "d/b": "2" })
        const files = revision.files.map((file) =>
          file.path === "d/b" ? { ...file, read: () => Promise.reject(new Error("asked")) } : file,
        )
        await projection.publish({ ...revision, files })
        expect(fs.readFileSync(join(path, "d/b"), "utf8")).toBe("2")
        expect(fs.statSync(join(path, "d/b")).nlink).toBe(1)
      },
      { disk },
    )
  })
})
