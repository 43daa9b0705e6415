import fs from "node:fs"
import { join } from "node:path"
import { createLog } from "@headrace/shared/observe/log"
import { projectionOptions, revisionOf, withProjection } from "@headrace/test/harness/with-projection"
import { describe, expect, it } from "vitest"
import { openProjection } from "../publish/open-projection.ts"
import { withRevision } from "../read/with-revision.ts"
import { withRetained, withRetainedAlone } from "./open-retained.ts"
import { listRevisions, pin, rollback, shownRevision, unpin } from "./revisions.ts"
import { verifySlot } from "./verify.ts"

const NEVER = new AbortController().signal
const log = createLog("test", { level: "silent" })

function slots(path: string): string[] {
  return fs.readdirSync(join(path, "..rev")).filter((name) => /^\d{4}$/.test(name))
}

describe("retention", () => {
  it("keeps a leased revision, and removes it after the lease", async () => {
    await withProjection({ keep: { revisions: 1, age: 0, bytes: 1e9 } }, async (projection, path) => {
      await projection.publish(revisionOf(1, { a: "1" }))
      await withRevision(path, async (revision) => {
        for (const seq of [2, 3, 4]) {
          await projection.publish(revisionOf(seq, { a: `${seq}` }))
          await projection.settled()
        }
        expect(revision.id).toBe("c1")
        expect(fs.readFileSync(join(revision.path, "a"), "utf8")).toBe("1")
        expect(slots(path)).toEqual(["0001", "0004"])
      })
      await projection.publish(revisionOf(5, { a: "5" }))
      await projection.settled()

      expect(slots(path)).toEqual(["0005"])
    })
  })

  it("keeps a revision for its minimum age, counted from when it was replaced", async () => {
    let now = Date.now()
    const clock = { now: () => now, sleep: async () => undefined }
    const keep = { revisions: 1, age: 60_000, bytes: 1e9 }
    await withProjection({ keep, clock }, async (projection, path) => {
      await projection.publish(revisionOf(1, { a: "1" }))
      // Published long ago, replaced now: a reader may have resolved it a moment ago.
      fs.utimesSync(join(path, "..rev/0001"), 1, 1)
      await projection.publish(revisionOf(2, { a: "2" }))
      await projection.settled()
      expect(slots(path)).toEqual(["0001", "0002"])

      now += 61_000
      await projection.publish(revisionOf(3, { a: "3" }))
      await projection.settled()
      expect(slots(path)).toEqual(["0003"])
    })
  })

  it("counts the age of a revision that was replaced in the future from now on", async () => {
    let now = Date.now()
    const clock = { now: () => now, sleep: async () => undefined }
    const keep = { revisions: 1, age: 60_000, bytes: 1e9 }
    await withProjection({ keep, clock }, async (projection, path) => {
      await projection.publish(revisionOf(1, { a: "1" }))
      await projection.publish(revisionOf(2, { a: "2" }))
      // The clock was a year ahead until now.
      const ahead = now / 1000 + 365 * 86_400
      fs.utimesSync(join(path, "..rev/0001"), ahead, ahead)
      await projection.settled()
      await projection.publish(revisionOf(3, { a: "3" }))
      await projection.settled()
      expect(slots(path)).toContain("0001")

      now = Date.now() + 61_000
      await projection.publish(revisionOf(4, { a: "4" }))
      await projection.settled()
      expect(slots(path)).toEqual(["0004"])
    })
  })

  it("removes a revision that comes of age while nothing is published", async () => {
    await withProjection({ keep: { revisions: 1, age: 300, bytes: 1e9 } }, async (projection, path) => {
      await projection.publish(revisionOf(1, { a: "1" }))
      await projection.publish(revisionOf(2, { a: "2" }))
      await projection.settled()
      expect(slots(path)).toEqual(["0001", "0002"])

      await expect.poll(() => slots(path)).toEqual(["0002"])
    })
  })

  it("removes a revision that its reader releases while nothing is published, or the same again", async () => {
    const keep = { revisions: 1, age: 0, bytes: 1e9 }
    await withProjection({ keep, lookEvery: 50 }, async (projection, path) => {
      await projection.publish(revisionOf(1, { a: "1" }))
      await withRevision(path, async () => {
        await projection.publish(revisionOf(2, { a: "2" }))
        await projection.settled()
        expect((await projection.publish(revisionOf(3, { a: "2" }))).outcome).toBe("unchanged")
        expect(slots(path)).toEqual(["0001", "0002"])
      })

      await expect.poll(() => slots(path)).toEqual(["0002"])
    })
  })

  it("never takes what somebody has rolled back to meanwhile for an old one", async () => {
    const keep = { revisions: 1, age: 400, bytes: 1e9 }
    await withProjection({ keep, lookEvery: 50 }, async (projection, path) => {
      for (const seq of [1, 2, 3]) await projection.publish(revisionOf(seq, { a: `${seq}` }))
      await projection.settled()
      await withRetainedAlone({ path, log, signal: NEVER }, (retained) => rollback(retained, "c1", "test"))

      await expect.poll(() => slots(path)).toEqual(["0001", "0003"])
      expect(fs.readFileSync(join(path, "a"), "utf8")).toBe("1")
    })
  })

  it("stages a clone after a start too", async () => {
    await withProjection({ lookEvery: 20 }, async (projection, path) => {
      await projection.publish(revisionOf(1, { a: "1" }))
      await projection.close()
      const again = await openProjection(projectionOptions(path, { lookEvery: 20 }))
      const staged = () => fs.readdirSync(join(path, "..rev")).filter((name) => name.startsWith(".staging"))

      await expect.poll(staged).toHaveLength(1)
      await again.close()
    })
  })

  it("stops at the size cap with an alarm that names what holds it, and goes on when the lease ends", async () => {
    const keep = { revisions: 1, age: 0, bytes: 250 }
    await withProjection({ keep }, async (projection, path) => {
      await projection.publish(revisionOf(1, { a: "1".repeat(100) }))
      await withRevision(path, async () => {
        await projection.publish(revisionOf(2, { a: "2".repeat(100) }))
        await expect(projection.publish(revisionOf(3, { a: "3".repeat(100) }))).rejects.toMatchObject({
          code: "publish/over-cap",
          fields: { leased: [1], revisions: [1, 2] },
        })
        expect(fs.readFileSync(join(path, "a"), "utf8")).toBe("2".repeat(100))
      })
      await projection.publish(revisionOf(3, { a: "3".repeat(100) }))
      expect(fs.readFileSync(join(path, "a"), "utf8")).toBe("3".repeat(100))
    })
  })

  it("breaks leases at the size cap only when configured to, and never takes the newest N", async () => {
    const keep = { revisions: 1, age: 0, bytes: 250 }
    await withProjection({ keep, breakLeases: true }, async (projection, path) => {
      await projection.publish(revisionOf(1, { a: "1".repeat(100) }))
      await withRevision(path, async () => {
        await projection.publish(revisionOf(2, { a: "2".repeat(100) }))
        await projection.publish(revisionOf(3, { a: "3".repeat(100) }))
        await projection.settled()
      })
      expect(slots(path)).toEqual(["0003"])
      await expect(projection.publish(revisionOf(4, { a: "4".repeat(200) }))).rejects.toMatchObject({
        code: "publish/over-cap",
      })
      expect(slots(path)).toEqual(["0003"])
    })
  })

  it("counts what revisions share once", async () => {
    const keep = { revisions: 9, age: 0, bytes: 1000 }
    await withProjection({ keep }, async (projection) => {
      for (let seq = 1; seq <= 8; seq++) {
        const result = await projection.publish(revisionOf(seq, { big: "x".repeat(900), small: `${seq}` }))
        expect(result.outcome).toBe("published")
      }
    })
  })
})

describe("rollback, pin and unpin", () => {
  it("shows the revision before, beside the running writer, and stays there until unpin", async () => {
    await withProjection({}, async (projection, path) => {
      await projection.publish(revisionOf(1, { a: "1", b: "gone later" }))
      await projection.publish(revisionOf(2, { a: "2", c: "new" }))
      await projection.settled()

      await withRetainedAlone({ path, log, signal: NEVER }, (retained) =>
        rollback(retained, undefined, "it broke"),
      )

      expect(fs.readdirSync(path).sort()).toEqual(["..data", "..rev", "a", "b"])
      expect(fs.readFileSync(join(path, "a"), "utf8")).toBe("1")
      await expect(projection.publish(revisionOf(3, { a: "3" }))).rejects.toMatchObject({
        code: "publish/pinned",
        message: expect.stringContaining("it broke"),
      })
      await withRetainedAlone({ path, log, signal: NEVER }, unpin)
      // The same content as before the rollback, at the same token, may show again; nothing older may.
      await expect(projection.publish(revisionOf(1, { a: "older" }))).rejects.toMatchObject({
        code: "publish/behind",
      })
      const result = await projection.publish(revisionOf(2, { a: "2", c: "new" }))
      expect(result).toMatchObject({ outcome: "published", number: 3 })
      expect(fs.readdirSync(path).sort()).toEqual(["..data", "..rev", "a", "c"])
    })
  })

  it("survives a restart, with what was above the rollback kept and the token not forgotten", async () => {
    await withProjection({}, async (projection, path) => {
      for (const seq of [1, 2, 3]) await projection.publish(revisionOf(seq, { a: `${seq}` }))
      await projection.close()
      await withRetainedAlone({ path, log, signal: NEVER }, (retained) => rollback(retained, "c1", "test"))

      const again = await openProjection(projectionOptions(path))
      expect(again.current()).toMatchObject({ id: "c1", number: 1 })
      expect(again.floor()).toEqual({ epoch: 0, seq: 3 })
      expect(slots(path)).toEqual(["0001", "0002", "0003"])
      await again.close()
    })
  })

  it("refuses to roll back to a damaged revision, or to none", async () => {
    await withProjection({}, async (projection, path) => {
      await projection.publish(revisionOf(1, { a: "1" }))
      await projection.publish(revisionOf(2, { a: "2" }))
      await projection.settled()
      const damaged = join(path, "..rev/0001/c1/a")
      fs.chmodSync(damaged, 0o644)
      fs.writeFileSync(damaged, "?")
      const place = { path, log, signal: NEVER }

      await expect(withRetainedAlone(place, (p) => rollback(p, undefined, ""))).rejects.toMatchObject({
        code: "retain/damaged",
      })
      await expect(withRetainedAlone(place, (p) => rollback(p, "77", ""))).rejects.toMatchObject({
        code: "retain/no-revision",
      })
      expect(fs.readFileSync(join(path, "a"), "utf8")).toBe("2")
      await projection.publish(revisionOf(3, { a: "3" }))
    })
  })

  it("never prunes a pinned revision, and lists what it keeps", async () => {
    await withProjection({ keep: { revisions: 1, age: 0, bytes: 1e9 } }, async (projection, path) => {
      await projection.publish(revisionOf(1, { a: "1" }))
      await withRetainedAlone({ path, log, signal: NEVER }, (retained) =>
        pin(retained, shownRevision(retained), "freeze"),
      )
      await expect(projection.publish(revisionOf(2, { a: "2" }))).rejects.toMatchObject({
        code: "publish/pinned",
      })

      const listed = await withRetained({ path, log, signal: NEVER }, listRevisions)
      expect(listed).toMatchObject([
        { number: 1, revision: "c1", shown: true, pinned: true, leased: false, files: 1, bytes: 1 },
      ])
    })
  })
})

describe("verify", () => {
  it("finds a folder that somebody has put a link in place of, and the next publish repairs it", async () => {
    await withProjection({}, async (projection, path) => {
      const files = { "d/a": "1", b: "2" }
      await projection.publish(revisionOf(1, files))
      await projection.close()
      fs.renameSync(join(path, "..rev/0001/c1/d"), join(path, "../elsewhere"))
      fs.symlinkSync("../../../../elsewhere", join(path, "..rev/0001/c1/d"))
      expect(fs.readFileSync(join(path, "d/a"), "utf8")).toBe("1")

      const again = await openProjection(projectionOptions(path))
      expect(again.damaged()).toEqual(["d/a"])
      await again.publish(revisionOf(2, files))
      expect(fs.lstatSync(join(path, "..data/d")).isDirectory()).toBe(true)
      expect(fs.statSync(join(path, "..data/d/a")).nlink).toBe(1)
      await again.close()
    })
  })

  it("finds changed bytes, modes and lost files, and the next publish repairs them", async () => {
    await withProjection({}, async (projection, path) => {
      const files = { a: "1", b: "2", c: "3", d: "4" }
      await projection.publish(revisionOf(1, files))
      await projection.close()
      const directory = join(path, "..rev/0001/c1")
      const before = fs.statSync(join(directory, "a"))
      fs.chmodSync(join(directory, "a"), 0o644)
      fs.writeFileSync(join(directory, "a"), "x")
      fs.chmodSync(join(directory, "a"), 0o444)
      fs.utimesSync(join(directory, "a"), before.atime, before.mtime)
      fs.chmodSync(join(directory, "b"), 0o400)
      fs.unlinkSync(join(directory, "c"))

      const damaged = await withRetained({ path, log, signal: NEVER }, (p) =>
        verifySlot(p, shownRevision(p), { digests: true }),
      )
      expect(damaged).toEqual(["a", "b", "c"])
      const again = await openProjection(projectionOptions(path))
      expect(again.damaged()).toEqual(["a", "b", "c"])
      const result = await again.publish(revisionOf(1, files))
      expect(result).toMatchObject({ outcome: "published", filesWritten: 3, filesLinked: 1 })
      expect(again.damaged()).toEqual([])
      for (const [name, text] of Object.entries(files))
        expect(fs.readFileSync(join(path, name), "utf8")).toBe(text)
      await again.close()
    })
  })
})
