import fs from "node:fs"
import { dirname, join } from "node:path"
import { createLog } from "@headrace/shared/observe/log"
import { until } from "@headrace/test/harness/until"
import { withFolder } from "@headrace/test/harness/with-folder"
import { projectionOptions, revisionOf, withProjection } from "@headrace/test/harness/with-projection"
import { afterEach, describe, expect, it, vi } from "vitest"
import { openNodeDisk } from "../disk/node-disk.ts"
import { openProjection } from "../publish/open-projection.ts"
import { readableSlots } from "../store/store.ts"
import { withRetainedAlone } from "./open-retained.ts"
import { listRevisions, rollback } from "./revisions.ts"
import { verifySlot } from "./verify.ts"

const log = createLog("test", { level: "silent" })
const signal = new AbortController().signal
/** Nothing is pruned: no event comes from a removal. */
const keep = { revisions: 99, age: 0, bytes: 1e9 }
const LARGE = "x".repeat(3_000_000)

/** Watches an inode, as a program does that follows our links, and the names of the events that it gets. */
function watchInode(path: string): { events: string[]; close(): void } {
  const events: string[] = []
  const watcher = fs.watch(path, (event) => events.push(event))
  return { events, close: () => watcher.close() }
}

describe.each(["links", "exchange"] as const)("what is replaced in layout %s", (layout) => {
  it.each([
    ["a flat file", "a", { a: "1" }, { a: "2" }],
    ["a nested file", "d/e/a", { "d/e/a": "1", same: "s" }, { "d/e/a": "2", same: "s" }],
    ["an executable", "a", { "a*": "1" }, { "a*": "2" }],
    ["one whose mode alone changes", "a", { a: "1" }, { "a*": "1" }],
    ["a large file", "a", { a: LARGE }, { a: "2" }],
    ["one that is removed", "d/a", { "d/a": "1", b: "1" }, { b: "1" }],
    ["one that becomes a folder", "a", { a: "1" }, { "a/b": "2" }],
  ] as const)("loses its inode, which wakes its watcher: %s", async (_, name, first, second) => {
    await withFolder(async (folder) => {
      const path = join(folder, "shown")
      const projection = await openProjection(projectionOptions(path, { layout, keep }))
      await projection.publish(revisionOf(1, first))
      await projection.settled()
      const watcher = watchInode(join(path, name))

      await projection.publish(revisionOf(2, second))

      // IN_DELETE_SELF: the kind of event on which programs watch the path again.
      await until(() => watcher.events.includes("rename"))
      watcher.close()
      await projection.close()
    })
  })

  it("wakes the watcher of a file that several revisions share, and leaves each of them as it was", async () => {
    await withFolder(async (folder) => {
      const path = join(folder, "shown")
      const projection = await openProjection(projectionOptions(path, { layout, keep }))
      for (const seq of [1, 2, 3]) await projection.publish(revisionOf(seq, { "d/a": "old", b: `${seq}` }))
      await projection.settled()
      const watcher = watchInode(join(path, "d/a"))
      const unchanged = watchInode(join(path, "b"))
      const { ino, mtimeMs } = fs.statSync(join(path, "b"))

      await projection.publish(revisionOf(4, { "d/a": "new", b: "3" }))
      await until(() => watcher.events.includes("rename"))

      expect(fs.statSync(join(path, "b"))).toMatchObject({ ino, mtimeMs })
      await projection.settled()
      expect(unchanged.events).not.toContain("rename")
      watcher.close()
      unchanged.close()
      await projection.close()
      await withRetainedAlone({ path, log, signal }, async (retained) => {
        const slots = readableSlots(retained.store)
        expect(slots.map(({ number }) => number)).toEqual([1, 2, 3, 4])
        for (const slot of slots) expect(await verifySlot(retained, slot, { digests: true })).toEqual([])
        await rollback(retained, "2", "test")
        expect((await listRevisions(retained)).find(({ shown }) => shown)?.number).toBe(2)
      })
      expect(fs.readFileSync(join(path, "d/a"), "utf8")).toBe("old")
      expect(fs.readFileSync(join(path, "b"), "utf8")).toBe("2")
    })
  })

  it("wakes the watcher of a file by a rollback", async () => {
    await withFolder(async (folder) => {
      const path = join(folder, "shown")
      const projection = await openProjection(projectionOptions(path, { layout, keep }))
      for (const seq of [1, 2]) await projection.publish(revisionOf(seq, { a: `${seq}`, "d/b": `${seq}` }))
      await projection.settled()
      const watchers = ["a", "d/b"].map((name) => watchInode(join(path, name)))

      await withRetainedAlone({ path, log, signal }, (retained) => rollback(retained, undefined, "test"))

      // The publisher's clone shares the inodes.
      await until(() => watchers.every(({ events }) => events.includes("rename")))
      for (const watcher of watchers) watcher.close()
      await projection.close()
    })
  })

  it("wakes the watcher of a folder in which a file is replaced, and of one that gets another file", async () => {
    await withFolder(async (folder) => {
      const path = join(folder, "shown")
      const projection = await openProjection(projectionOptions(path, { layout, keep }))
      await projection.publish(revisionOf(1, { "d/a": "1", "e/f/b": "1" }))
      await projection.settled()
      const watchers = ["d", "e/f"].map((name) => watchInode(join(path, name)))

      await projection.publish(revisionOf(2, { "d/a": "2", "e/f/b": "1", "e/f/g/c": "2" }))

      await until(() => watchers.every(({ events }) => events.length > 0))
      for (const watcher of watchers) watcher.close()
      await projection.close()
    })
  })
})

describe("flips without a pause", () => {
  const third = [1, 2, 3].map((seq) => revisionOf(seq, { "d/a": `${seq}` }))
  afterEach(() => vi.useRealTimers())

  it.each([
    ["the last of them", third],
    ["a publish that changes nothing", [...third, revisionOf(3, { "d/a": "3" })]],
  ])("notify the watcher of a folder of an older revision after %s", async (_, revisions) => {
    await withProjection({ keep, notifyAfter: 100 }, async (projection, path) => {
      await projection.publish(revisionOf(0, { "d/a": "0" }))
      const older = fs.realpathSync(join(path, "d"))
      await projection.publish(revisions[0] ?? revisionOf(1, {}))
      await projection.settled()
      const watcher = watchInode(older)

      for (const revision of revisions.slice(1)) await projection.publish(revision)
      await projection.settled()

      await until(() => watcher.events.length > 0)
      watcher.close()
    })
  })

  it("leave the clone for the next publish as it is", async () => {
    vi.useFakeTimers({ toFake: ["performance"] })
    const warnings: string[] = []
    const destination = { write: (line: string) => void warnings.push(line) }
    const warns = createLog("test", { level: "warn", destination })
    await withProjection({ keep, log: warns, notifyAfter: 300 }, async (projection) => {
      const publish = (seq: number) => projection.publish(revisionOf(seq, { "d/a": `${seq}` }))
      vi.advanceTimersByTime(600)
      await publish(1)
      await projection.settled()
      // The folders further back are touched when a second has passed since the opening, and upkeep is overdue after that.
      await publish(2)
      vi.advanceTimersByTime(500)
      await publish(3)
      vi.advanceTimersByTime(900)
      await publish(3)
      await projection.settled()

      await publish(4)

      expect(warnings).toEqual([])
    })
  })

  it("notify the watcher of a folder in which no twin can take its place", async () => {
    const disk = openNodeDisk()
    function link(from: string, to: string): void {
      if (from.includes("/.twins-")) throw Object.assign(new Error("no room"), { code: "ENOSPC" })
      disk.link(from, to)
    }
    await withProjection({ keep, disk: { ...disk, link } }, async (projection, path) => {
      await projection.publish(revisionOf(1, { "d/a": "1" }))
      await projection.settled()
      const watcher = watchInode(join(path, "d"))

      await projection.publish(revisionOf(2, { "d/a": "2" }))
      await projection.settled()

      await until(() => watcher.events.length > 0)
      watcher.close()
    })
  })

  it("notify the watcher of a folder when a later revision cannot be opened", async () => {
    const disk = openNodeDisk()
    let isUnreadable = false
    const openDirectory: typeof disk.openDirectory = (place) => {
      if (isUnreadable && place.includes("/0002/")) throw Object.assign(new Error("no"), { code: "EACCES" })
      return disk.openDirectory(place)
    }
    await withProjection({ keep, disk: { ...disk, openDirectory } }, async (projection, path) => {
      await projection.publish(revisionOf(1, { "d/a": "1" }))
      const older = fs.realpathSync(join(path, "d"))
      for (const seq of [2, 3]) await projection.publish(revisionOf(seq, { "d/a": `${seq}` }))
      await projection.settled()
      const watcher = watchInode(older)

      isUnreadable = true
      await projection.publish(revisionOf(4, { "d/a": "4" }))
      await projection.settled()

      await until(() => watcher.events.length > 0)
      watcher.close()
    })
  })

  it("leave no more to remove than a second brings", async () => {
    vi.useFakeTimers({ toFake: ["performance"] })
    const options = { keep: { revisions: 3, age: 0, bytes: 1e9 }, notifyAfter: 2_000 }
    await withProjection(options, async (projection, path) => {
      for (let seq = 1; seq <= 40; seq++) {
        vi.advanceTimersByTime(100)
        await projection.publish(revisionOf(seq, { "d/a": `${seq}` }))
      }
      const left = fs.readdirSync(dirname(path), { recursive: true, encoding: "utf8" })
      const revisions = left.filter((name) => name.endsWith("/d"))
      expect(revisions.length).toBeLessThan(20)
    })
  })

  it("touch no more where more revisions are kept, until a second has passed", async () => {
    vi.useFakeTimers({ toFake: ["performance"] })
    const disk = openNodeDisk()
    let touched = 0
    const touch = (path: string) => {
      touched += 1
      disk.touch(path)
    }
    await withProjection({ keep, disk: { ...disk, touch }, notifyAfter: 2_000 }, async (projection) => {
      const counts: number[] = []
      for (let seq = 1; seq <= 12; seq++) {
        if (seq === 11) vi.advanceTimersByTime(1000)
        touched = 0
        await projection.publish(revisionOf(seq, { "d/a": `${seq}` }))
        counts.push(touched)
      }

      expect(counts[9]).toBe(counts[4])
      expect(counts[10]).toBeGreaterThan((counts[9] ?? 0) + 8)
      expect(counts[11]).toBe(counts[4])
    })
  })
})

it("a reader of the revision before reads on, by its folder and by a file that it has open", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "shown")
    const projection = await openProjection(projectionOptions(path, { keep }))
    await projection.publish(revisionOf(1, { "d/a*": "old" }))
    const before = fs.realpathSync(join(path, "..data"))
    const open = fs.openSync(join(path, "d/a"), "r")
    const { mode, uid, gid, ino } = fs.statSync(join(before, "d/a"))

    await projection.publish(revisionOf(2, { "d/a*": "new" }))
    await projection.settled()

    expect(fs.statSync(join(before, "d/a"))).toMatchObject({ mode, uid, gid })
    expect(fs.statSync(join(before, "d/a")).ino).not.toBe(ino)
    expect(fs.readFileSync(join(before, "d/a"), "utf8")).toBe("old")
    expect(fs.readFileSync(open, "utf8")).toBe("old")
    fs.closeSync(open)
    await projection.close()
  })
})

it("follows no link that the owner of the files puts in a folder's place, and leaves nothing behind", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "shown")
    const projection = await openProjection(projectionOptions(path, { keep, prestage: false }))
    await projection.publish(revisionOf(1, { "d/a": "old", b: "1" }))
    const before = fs.realpathSync(join(path, "..data"))
    fs.renameSync(join(before, "d"), join(folder, "elsewhere"))
    fs.symlinkSync(join(folder, "elsewhere"), join(before, "d"))
    const { ino } = fs.statSync(join(folder, "elsewhere/a"))

    await projection.publish(revisionOf(2, { "d/a": "new", b: "2" }))
    await projection.settled()

    expect(fs.statSync(join(folder, "elsewhere/a")).ino).toBe(ino)
    expect(fs.readdirSync(join(path, "..rev")).sort()).toEqual(["0001", "0002", "published.json"])
    await projection.close()
  })
})
