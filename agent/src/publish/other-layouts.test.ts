import { execFileSync, spawn } from "node:child_process"
import fs from "node:fs"
import { join } from "node:path"
import { createLog } from "@headrace/shared/observe/log"
import { notRoot, whySkipped } from "@headrace/test/harness/why-skipped"
import { withFolder } from "@headrace/test/harness/with-folder"
import { projectionOptions, revisionOf } from "@headrace/test/harness/with-projection"
import { describe, expect, it } from "vitest"
import { throughKoffi } from "../disk/native-calls.ts"
import { withRevision } from "../read/with-revision.ts"
import { withRetained, withRetainedAlone } from "../retain/open-retained.ts"
import { listRevisions, rollback } from "../retain/revisions.ts"
import { type OpenProjection, openProjection } from "./open-projection.ts"

const ROOT = process.getuid?.() === 0
const log = createLog("test", { level: "silent" })
const NEVER = new AbortController().signal

async function withLayout(
  layout: "exchange" | "file",
  action: (projection: OpenProjection, path: string, folder: string) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const path = join(folder, "shown")
    const keep = { revisions: 2, age: 0, bytes: 1e9 }
    const projection = await openProjection(projectionOptions(path, { layout, keep, durability: "fsync" }))
    try {
      await action(projection, path, folder)
    } finally {
      await projection.close()
    }
  })
}

const native = throughKoffi() !== undefined
if (!native) process.stdout.write("layout exchange is not tested: koffi is not there\n")

describe.skipIf(!native)(
  `layout exchange${whySkipped(native ? undefined : "koffi is not installed")}`,
  () => {
    it("shows a real directory, and keeps the one before in its own slot", async () => {
      await withLayout("exchange", async (projection, path, folder) => {
        await projection.publish(revisionOf(1, { a: "1", "d/b": "same" }))
        expect(fs.lstatSync(path).isDirectory()).toBe(true)
        const inode = fs.statSync(join(path, "d/b")).ino
        await projection.settled()
        await projection.publish(revisionOf(2, { a: "2", "d/b": "same" }))
        await projection.settled()

        expect(fs.readdirSync(path).sort()).toEqual(["..revision.json", "a", "d"])
        expect(fs.readFileSync(join(path, "a"), "utf8")).toBe("2")
        expect(fs.statSync(join(path, "d/b")).ino).toBe(inode)
        expect(fs.readFileSync(join(folder, ".headrace-shown/0001/c1/a"), "utf8")).toBe("1")
        await projection.publish(revisionOf(3, { a: "3" }))
        await projection.publish(revisionOf(4, { a: "4" }))
        await projection.settled()
        const slots = fs.readdirSync(join(folder, ".headrace-shown")).filter((name) => /^\d/.test(name))
        expect(slots).toEqual(["0003", "0004"])
        expect(await withRetained({ path, log, signal: NEVER }, listRevisions)).toMatchObject([
          { revision: "c3", shown: false },
          { revision: "c4", shown: true },
        ])
      })
    })

    it("takes the place of an empty directory, and refuses one with files in it", async () => {
      await withFolder(async (folder) => {
        fs.mkdirSync(join(folder, "empty"))
        const projection = await openProjection(
          projectionOptions(join(folder, "empty"), { layout: "exchange" }),
        )
        await projection.publish(revisionOf(1, { a: "1" }))
        await projection.close()
        expect(fs.readFileSync(join(folder, "empty/a"), "utf8")).toBe("1")

        fs.mkdirSync(join(folder, "theirs"))
        fs.writeFileSync(join(folder, "theirs/x"), "")
        const refused = openProjection(projectionOptions(join(folder, "theirs"), { layout: "exchange" }))
        await expect(refused).rejects.toMatchObject({ code: "publish/foreign-file" })
        expect(fs.readdirSync(join(folder, "theirs"))).toEqual(["x"])
      })
    })

    it("keeps a leased directory readable through several swaps, and rolls back", async () => {
      await withLayout("exchange", async (projection, path) => {
        await projection.publish(revisionOf(1, { a: "1" }))
        await withRevision(
          path,
          async (revision) => {
            for (const seq of [2, 3, 4, 5]) {
              await projection.publish(revisionOf(seq, { a: `${seq}` }))
              await projection.settled()
            }
            expect(revision.id).toBe("c1")
            expect(fs.readFileSync(join(revision.path, "a"), "utf8")).toBe("1")
          },
          { link: "" },
        )
        await withRetainedAlone({ path, log, signal: NEVER }, (retained) =>
          rollback(retained, undefined, "test"),
        )
        expect(fs.readFileSync(join(path, "a"), "utf8")).toBe("4")
      })
    })

    it("stays as it is when rolled back to what it shows, and is pinned there", async () => {
      await withLayout("exchange", async (projection, path) => {
        await projection.publish(revisionOf(1, { a: "1" }))
        const retained = { path, log, signal: NEVER }
        await withRetainedAlone(retained, (shown) => rollback(shown, "c1", "test"))
        expect(fs.readFileSync(join(path, "a"), "utf8")).toBe("1")
        expect(await withRetained(retained, listRevisions)).toMatchObject([{ shown: true, pinned: true }])
      })
    })

    it.skipIf(!ROOT)(`refuses a mount point${whySkipped(notRoot())}`, async () => {
      await withFolder(async (folder) => {
        const path = join(folder, "mnt")
        fs.mkdirSync(path)
        execFileSync("mount", ["-t", "tmpfs", "tmpfs", path])
        try {
          await expect(openProjection(projectionOptions(path, { layout: "exchange" }))).rejects.toMatchObject(
            {
              code: "publish/mount-point",
            },
          )
        } finally {
          execFileSync("umount", [path])
        }
      })
    })
  },
)

describe("layout file", () => {
  it("replaces an executable while it runs and while it is read", async () => {
    await withLayout("file", async (projection, path) => {
      await projection.publish(revisionOf(1, { "tool*": "#!/bin/sh\nsleep 30\n" }))
      const running = spawn(path, { stdio: "ignore" })
      const reading = fs.openSync(path, "r")
      await projection.publish(revisionOf(2, { "tool*": "#!/bin/sh\necho two\n" }))

      expect(execFileSync(path, { encoding: "utf8" })).toBe("two\n")
      expect(fs.readFileSync(reading, "utf8")).toContain("sleep 30")
      fs.closeSync(reading)
      running.kill("SIGKILL")
    })
  })

  it("shows watchers of the folder one rename and nothing that could be taken for the file", async () => {
    await withLayout("file", async (projection, path, folder) => {
      await projection.publish(revisionOf(1, { f: "1" }))
      await projection.settled()
      const seen = new Set<string>()
      const watcher = fs.watch(folder, (_event, name) => seen.add(String(name)))
      await projection.publish(revisionOf(2, { f: "2" }))
      await expect.poll(() => [...seen]).toEqual(["shown"])
      watcher.close()
      expect(fs.readFileSync(path, "utf8")).toBe("2")
    })
  })

  it("takes one file only, and nothing in the place of a foreign one", async () => {
    await withLayout("file", async (projection, path, folder) => {
      await expect(projection.publish(revisionOf(1, { a: "1", b: "2" }))).rejects.toMatchObject({
        code: "publish/bad-revision",
      })
      expect(fs.existsSync(path)).toBe(false)
      fs.writeFileSync(join(folder, "theirs"), "x")
      const refused = openProjection(projectionOptions(join(folder, "theirs"), { layout: "file" }))
      await expect(refused).rejects.toMatchObject({ code: "publish/foreign-file" })
    })
  })

  it("puts the published file back when somebody has edited it, and rolls back", async () => {
    await withLayout("file", async (projection, path) => {
      await projection.publish(revisionOf(1, { f: "1" }))
      await projection.publish(revisionOf(2, { f: "2" }))
      await projection.close()
      fs.chmodSync(path, 0o644)
      fs.writeFileSync(path, "edited")
      const again = await openProjection(projectionOptions(path, { layout: "file" }))
      expect(fs.readFileSync(path, "utf8")).toBe("2")
      await again.close()
      await withRetainedAlone({ path, log, signal: NEVER }, (retained) =>
        rollback(retained, undefined, "test"),
      )
      expect(fs.readFileSync(path, "utf8")).toBe("1")
    })
  })
})
