import fs from "node:fs"
import { join } from "node:path"
import { createLog } from "@headrace/shared/observe/log"
import { whySkipped } from "@headrace/test/harness/why-skipped"
import { withFolder } from "@headrace/test/harness/with-folder"
import { revisionOf, withProjection } from "@headrace/test/harness/with-projection"
import { describe, expect, it } from "vitest"
import { openProjection } from "../publish/open-projection.ts"
import { type NativeCalls, throughKoffi, throughPrograms } from "./native-calls.ts"
import { openNodeDisk } from "./node-disk.ts"

const koffi = throughKoffi()
if (!koffi) process.stdout.write("native calls are not tested through koffi: it is not there\n")
const WAYS: [string, NativeCalls | undefined][] = [
  ["koffi", koffi],
  ["flock and sync of the system", throughPrograms],
]

for (const [name, calls] of WAYS) {
  describe.skipIf(!calls)(
    `native calls through ${name}${whySkipped(calls ? undefined : "koffi is not installed")}`,
    () => {
      const native = calls ?? throughPrograms

      it("lock a directory shared or alone, until it is closed", async () => {
        await withFolder(async (folder) => {
          const [one, two, three] = [0, 1, 2].map(() => fs.openSync(folder, "r"))
          if (one === undefined || two === undefined || three === undefined) throw new Error("not open")
          expect(await native.flock(one, "shared")).toBe(true)
          expect(await native.flock(two, "shared")).toBe(true)
          expect(await native.flock(three, "exclusive")).toBe(false)
          fs.closeSync(one)
          fs.closeSync(two)
          expect(await native.flock(three, "exclusive")).toBe(true)
          fs.closeSync(three)
        })
      })

      it("sync a file system, and say so when they cannot", async () => {
        await withFolder(async (folder) => {
          const fd = fs.openSync(folder, "r")
          await native.syncFileSystem(fd, folder)
          fs.closeSync(fd)
          await expect(native.syncFileSystem(fd, join(folder, "gone"))).rejects.toMatchObject({ code: "EIO" })
        })
      })

      it("publish, with a lock that keeps a second writer out", async () => {
        const disk = openNodeDisk(() => native)
        await withProjection({ disk, durability: "syncfs" }, async (projection, path) => {
          await projection.publish(revisionOf(1, { a: "1" }))
          await projection.publish(revisionOf(2, { a: "2" }))
          await projection.settled()
          expect(fs.readFileSync(join(path, "a"), "utf8")).toBe("2")
          const second = openProjection({
            path,
            layout: "links",
            durability: "none",
            keep: { revisions: 1, age: 0, bytes: 1 },
            log: createLog("test", { level: "silent" }),
            lockWait: 0,
            disk: openNodeDisk(() => native),
          })
          await expect(second).rejects.toMatchObject({ code: "publish/locked" })
        })
      })
    },
  )
}

describe("native calls through koffi", () => {
  it.skipIf(!koffi)(
    `swap two directories, and name what is wrong${whySkipped(koffi ? undefined : "koffi is not installed")}`,
    async () => {
      await withFolder(async (folder) => {
        const [a, b] = [join(folder, "a"), join(folder, "b")]
        for (const name of [a, b]) {
          fs.mkdirSync(name)
          fs.writeFileSync(join(name, "is"), name)
        }
        koffi?.exchange(a, b)
        expect(fs.readFileSync(join(a, "is"), "utf8")).toBe(b)
        expect(() => koffi?.exchange(a, join(folder, "none"))).toThrow(
          expect.objectContaining({ code: "ENOENT" }),
        )
      })
    },
  )
})

describe("native calls through programs", () => {
  it("refuse to swap, which no portable program does", () => {
    expect(() => throughPrograms.exchange("a", "b")).toThrow(expect.objectContaining({ code: "ENOSYS" }))
  })
})
