import fs from "node:fs"
import { join } from "node:path"
import { projectionOptions, revisionOf, withProjection } from "@headrace/test/harness/with-projection"
import { describe, expect, it } from "vitest"
import { openProjection } from "./open-projection.ts"

function textsOf(path: string): Record<string, string> {
  const texts: Record<string, string> = {}
  for (const name of fs.readdirSync(path, { recursive: true, encoding: "utf8" })) {
    if (name.startsWith("..") || !fs.statSync(join(path, name)).isFile()) continue
    texts[name] = fs.readFileSync(join(path, name), "utf8")
  }
  return texts
}

function shown(path: string): Record<string, string> {
  return textsOf(join(path, "..data/"))
}

describe("publishing in layout links", () => {
  it("shows a revision through ..data and a visible link for each first element", async () => {
    await withProjection({}, async (projection, path) => {
      const result = await projection.publish(revisionOf(7, { a: "1", "d/e/f": "2", "g*": "#!" }))

      expect(result).toMatchObject({
        revision: "c7",
        number: 1,
        filesWritten: 3,
        filesLinked: 0,
        outcome: "published",
      })
      expect(result.path).toBe(join(path, "..rev/0001/c7"))
      expect(fs.readlinkSync(join(path, "..data"))).toBe("..rev/0001/c7")
      expect(fs.readdirSync(path).sort()).toEqual(["..data", "..rev", "a", "d", "g"])
      expect(fs.readlinkSync(join(path, "d"))).toBe("..data/d")
      expect(fs.readFileSync(join(path, "d/e/f"), "utf8")).toBe("2")
      expect(fs.statSync(join(path, "a")).mode & 0o7777).toBe(0o444)
      expect(fs.statSync(join(path, "g")).mode & 0o7777).toBe(0o555)
    })
  })

  it("gives exact modes under any umask", async () => {
    const before = process.umask(0o077)
    try {
      await withProjection({ permissions: { file: 0o440, directory: 0o2775 } }, async (projection, path) => {
        await projection.publish(revisionOf(1, { "d/a": "1" }))

        expect(fs.statSync(join(path, "d/a")).mode & 0o7777).toBe(0o440)
        expect(fs.statSync(join(path, "d")).mode & 0o7777).toBe(0o2775)
        expect(fs.statSync(join(path, "..data/")).mode & 0o7777).toBe(0o2775)
        expect(fs.statSync(path).mode & 0o7777).toBe(0o755)
        expect(fs.statSync(join(path, "..rev/0001")).mode & 0o7777).toBe(0o755)
      })
    } finally {
      process.umask(before)
    }
  })

  it.each([true, false])(
    "links what is unchanged and writes the rest (clone staged: %s)",
    async (prestage) => {
      await withProjection({ prestage }, async (projection, path) => {
        await projection.publish(revisionOf(1, { a: "1", "d/b": "2", "d/c": "3", "e/f": "4" }))
        await projection.settled()
        const inode = fs.statSync(join(path, "d/b")).ino

        const result = await projection.publish(revisionOf(2, { a: "x", "d/b": "2", "moved/f": "4", n: "5" }))

        expect(result).toMatchObject({ filesWritten: 2, filesLinked: 2 })
        expect(shown(path)).toEqual({ a: "x", "d/b": "2", "moved/f": "4", n: "5" })
        expect(fs.statSync(join(path, "d/b")).ino).toBe(inode)
        expect(fs.readdirSync(path).sort()).toEqual(["..data", "..rev", "a", "d", "moved", "n"])
      })
    },
  )

  it.each([true, false])(
    "lets files and folders take each other's place (clone staged: %s)",
    async (prestage) => {
      await withProjection({ prestage }, async (projection, path) => {
        await projection.publish(revisionOf(1, { "q/r": "1", s: "2" }))
        await projection.settled()
        await projection.publish(revisionOf(2, { q: "3", "s/t/u": "4" }))
        await projection.settled()

        expect(shown(path)).toEqual({ q: "3", "s/t/u": "4" })
      })
    },
  )

  it.each([
    ["equal first", { a: "1" }, { a: "x" }],
    ["equal last", { a: "x" }, { a: "1" }],
    ["both other", { a: "x" }, { a: "y" }],
    ["both equal", { a: "1" }, { a: "1" }],
  ])("refuses a known path that is there twice (%s)", async (_what, first, second) => {
    await withProjection({}, async (projection, path) => {
      await projection.publish(revisionOf(1, { a: "1", b: "2" }))
      const twice = revisionOf(2, first)
      const files = [...twice.files, ...revisionOf(2, second).files]

      await expect(projection.publish({ ...twice, files })).rejects.toMatchObject({
        code: "publish/bad-path",
      })
      expect(shown(path)).toEqual({ a: "1", b: "2" })
    })
  })

  it("publishes a change of mode alone", async () => {
    await withProjection({}, async (projection, path) => {
      await projection.publish(revisionOf(1, { a: "1" }))
      const result = await projection.publish(revisionOf(2, { "a*": "1" }))

      expect(result.outcome).toBe("published")
      expect(fs.statSync(join(path, "a")).mode & 0o7777).toBe(0o555)
      expect(fs.statSync(join(path, "..rev/0001/c1/a")).mode & 0o7777).toBe(0o444)
    })
  })

  it("wakes nobody for equal content, but keeps the newer token across a restart", async () => {
    await withProjection({}, async (projection, path) => {
      await projection.publish(revisionOf(1, { a: "1" }))
      const link = fs.lstatSync(join(path, "..data")).ino
      const result = await projection.publish(revisionOf(5, { a: "1" }))
      await projection.close()

      expect(result).toMatchObject({ outcome: "unchanged", number: 1, revision: "c1" })
      expect(fs.lstatSync(join(path, "..data")).ino).toBe(link)
      const again = await openProjection(projectionOptions(path))
      await expect(again.publish(revisionOf(4, { a: "2" }))).rejects.toMatchObject({ code: "publish/behind" })
      expect(shown(path)).toEqual({ a: "1" })
      await again.close()
    })
  })

  it("publishes equal content under another id when the id is what readers go by", async () => {
    await withProjection({}, async (projection, path) => {
      await projection.publish(revisionOf(1, { a: "1" }))
      const result = await projection.publish({ ...revisionOf(2, { a: "1" }), evenIfEqual: true })

      expect(result).toMatchObject({ outcome: "published", filesWritten: 0, filesLinked: 1 })
      expect(fs.readlinkSync(join(path, "..data"))).toBe("..rev/0002/c2")
    })
  })

  it("keeps the newest N and removes the others", async () => {
    await withProjection({ keep: { revisions: 2, age: 0, bytes: 1e9 } }, async (projection, path) => {
      for (let seq = 1; seq <= 5; seq++) await projection.publish(revisionOf(seq, { a: `${seq}`, b: "same" }))
      await projection.settled()

      expect(fs.readdirSync(join(path, "..rev")).filter((name) => /^\d|^\.trash/.test(name))).toEqual([
        "0004",
        "0005",
      ])
    })
  })

  it("refuses a second writer while the first lives", async () => {
    await withProjection({}, async (_projection, path) => {
      await expect(openProjection(projectionOptions(path))).rejects.toMatchObject({ code: "publish/locked" })
    })
  })

  it("refuses content that is not what the revision promised, and goes on", async () => {
    await withProjection({}, async (projection, path) => {
      await projection.publish(revisionOf(1, { a: "1" }))
      const revision = revisionOf(2, { a: "2" })
      const lying = {
        ...revision,
        files: revision.files.map((file) => ({ ...file, read: async () => Buffer.from("?") })),
      }

      await expect(projection.publish(lying)).rejects.toMatchObject({ code: "publish/wrong-content" })
      expect(shown(path)).toEqual({ a: "1" })
      await projection.publish(revision)
      expect(shown(path)).toEqual({ a: "2" })
      expect(fs.readdirSync(join(path, "..rev")).filter((name) => name.startsWith(".staging"))).toHaveLength(
        0,
      )
    })
  })
})
