import { execFileSync } from "node:child_process"
import fs from "node:fs"
import { join } from "node:path"
import { FILES } from "@headrace/test/harness/after-damage"
import { notRoot, whySkipped } from "@headrace/test/harness/why-skipped"
import { withFolder } from "@headrace/test/harness/with-folder"
import { projectionOptions, revisionOf } from "@headrace/test/harness/with-projection"
import { describe, expect, it } from "vitest"
import { openProjection } from "./open-projection.ts"

const ROOT = process.getuid?.() === 0
if (!ROOT)
  process.stdout.write("full, read-only and foreign file systems are not tested: it needs root to mount\n")

describe.skipIf(!ROOT)(`file systems that say no${whySkipped(notRoot())}`, () => {
  async function withTmpfs(
    size: string,
    action: (path: string, remount: (options: string) => void) => Promise<void>,
  ): Promise<void> {
    await withFolder(async (folder) => {
      const mount = join(folder, "mnt")
      fs.mkdirSync(mount)
      execFileSync("mount", ["-t", "tmpfs", "-o", size, "tmpfs", mount])
      try {
        await action(join(mount, "shown"), (options) =>
          execFileSync("mount", ["-o", `remount,${options}`, mount]),
        )
      } finally {
        execFileSync("umount", [mount])
      }
    })
  }

  it.each([
    ["bytes", "size=512k", { big: "x".repeat(600_000) }],
    [
      "inodes",
      "size=4m,nr_inodes=60",
      Object.fromEntries(Array.from({ length: 80 }, (_, n) => [`f${n}`, ""])),
    ],
  ])(
    "out of %s: says so, keeps what is published, and goes on when there is room",
    async (_what, options, files) => {
      await withTmpfs(options, async (path) => {
        const projection = await openProjection(projectionOptions(path))
        await projection.publish(revisionOf(1, FILES))
        for (const seq of [2, 3]) {
          await expect(projection.publish(revisionOf(seq, files))).rejects.toMatchObject({
            code: "disk/full",
          })
          expect(fs.readFileSync(join(path, "a"), "utf8")).toBe("1")
        }
        await projection.publish(revisionOf(4, { a: "4" }))
        expect(fs.readFileSync(join(path, "a"), "utf8")).toBe("4")
        await projection.close()
      })
    },
  )

  it("read-only: says so, keeps what is published", async () => {
    await withTmpfs("size=4m", async (path, remount) => {
      const projection = await openProjection(projectionOptions(path))
      await projection.publish(revisionOf(1, FILES))
      await projection.close()
      remount("ro")
      await expect(openProjection(projectionOptions(path))).rejects.toMatchObject({ code: "disk/read-only" })
      expect(fs.readFileSync(join(path, "a"), "utf8")).toBe("1")
      remount("rw")
    })
  })

  it("a store on another file system: says so", async () => {
    await withFolder(async (folder) => {
      fs.mkdirSync(join(folder, "..rev"))
      execFileSync("mount", ["-t", "tmpfs", "tmpfs", join(folder, "..rev")])
      try {
        await expect(openProjection(projectionOptions(folder))).rejects.toMatchObject({
          code: "publish/foreign-store",
          message: expect.stringContaining("another file system"),
        })
      } finally {
        execFileSync("umount", [join(folder, "..rev")])
      }
    })
  })

  it("a store of another user: says so", async () => {
    await withFolder(async (folder) => {
      fs.mkdirSync(join(folder, "..rev"))
      fs.chmodSync(folder, 0o777)
      process.seteuid?.(65534)
      try {
        await expect(openProjection(projectionOptions(folder))).rejects.toMatchObject({
          code: "publish/foreign-store",
          message: expect.stringContaining("belongs to user 0"),
        })
      } finally {
        process.seteuid?.(0)
      }
    })
  })
})
