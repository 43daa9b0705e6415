import { execFileSync } from "node:child_process"
import fs from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { withFolder } from "../../../test/harness/with-folder.ts"
import {
  type ProjectionOptions,
  projectionOptions,
  revisionOf,
} from "../../../test/harness/with-projection.ts"
import type { Disk } from "./disk.ts"
import { openNodeDisk } from "./node-disk.ts"
import { type OpenProjection, openProjection } from "./open-projection.ts"

const ROOT = process.getuid?.() === 0
const FILES = { a: "1", "d/b": "2" }

/** A projection that shows FILES as c1, closed; then `damage`; then opened again for `action`. */
async function afterDamage(
  damage: (path: string) => void,
  action: (open: () => Promise<OpenProjection>, path: string) => Promise<void>,
  options: ProjectionOptions = {},
): Promise<void> {
  await withFolder(async (folder) => {
    const path = join(folder, "shown")
    const first = await openProjection(projectionOptions(path))
    await first.publish(revisionOf(1, FILES))
    await first.close()
    damage(path)
    const opened: OpenProjection[] = []
    try {
      await action(async () => {
        const projection = await openProjection(projectionOptions(path, options))
        opened.push(projection)
        return projection
      }, path)
    } finally {
      for (const projection of opened) await projection.close()
    }
  })
}

async function publishNext(projection: OpenProjection, path: string): Promise<void> {
  await projection.publish(revisionOf(2, { a: "next", "d/b": "2" }))
  await projection.settled()
  expect(fs.readFileSync(join(path, "a"), "utf8")).toBe("next")
}

describe("what wedges other publishers", () => {
  it.each(["..data_tmp", "tmp-link", "..data.tmp"])(
    "a temporary link %s left by a crash (AtomicWriter, git-sync)",
    async (name) => {
      await afterDamage(
        (path) => fs.symlinkSync("nowhere", join(path, name)),
        async (open, path) => {
          await publishNext(await open(), path)
          expect(fs.readlinkSync(join(path, name))).toBe("nowhere")
        },
      )
    },
  )

  it("a temporary link of our own left in the store", async () => {
    await afterDamage(
      (path) => fs.symlinkSync("nowhere", join(path, "..rev/.link-1-abc")),
      async (open, path) => {
        await publishNext(await open(), path)
        expect(fs.readdirSync(join(path, "..rev")).filter((name) => name.startsWith(".link"))).toEqual([])
      },
    )
  })

  it("files left in a staging folder are never published (atomicdir publishes them)", async () => {
    await afterDamage(
      (path) => {
        fs.mkdirSync(join(path, "..rev/.staging-1-abc/files"), { recursive: true })
        fs.writeFileSync(join(path, "..rev/.staging-1-abc/files/stale"), "?", { mode: 0o600 })
      },
      async (open, path) => {
        await publishNext(await open(), path)
        expect(fs.readdirSync(join(path, "..data/")).sort()).toEqual(["a", "d"])
        expect(fs.existsSync(join(path, "..rev/.staging-1-abc"))).toBe(false)
      },
    )
  })

  it("a write that fails again and again leaves nothing behind (AtomicWriter leaves a directory each time)", async () => {
    const real = openNodeDisk()
    let full = false
    const disk: Disk = {
      ...real,
      write: (file, content) => {
        if (full) throw Object.assign(new Error("no room"), { code: "ENOSPC" })
        real.write(file, content)
      },
    }
    await afterDamage(
      () => undefined,
      async (open, path) => {
        const projection = await open()
        full = true
        for (let seq = 2; seq < 6; seq++) {
          await expect(projection.publish(revisionOf(seq, { a: `${seq}` }))).rejects.toThrow("no room")
        }
        full = false
        expect(fs.readdirSync(join(path, "..rev")).sort()).toEqual(["0001", "lock"])
        expect(fs.readFileSync(join(path, "a"), "utf8")).toBe("1")
        await publishNext(projection, path)
      },
      { disk },
    )
  })

  it("a visible link that was lost comes back without a change (kubernetes/kubernetes #121472)", async () => {
    await afterDamage(
      (path) => fs.unlinkSync(join(path, "a")),
      async (open, path) => {
        await open()
        expect(fs.readFileSync(join(path, "a"), "utf8")).toBe("1")
      },
    )
  })

  it("a link to a revision that is gone (git-sync loops) leads to the newest whole one again", async () => {
    await afterDamage(
      (path) => {
        fs.unlinkSync(join(path, "..data"))
        fs.symlinkSync("..rev/0007/c7", join(path, "..data"))
      },
      async (open, path) => {
        const projection = await open()
        expect(projection.current()).toMatchObject({ id: "c1", number: 1 })
        expect(fs.readlinkSync(join(path, "..data"))).toBe("..rev/0001/c1")
        await publishNext(projection, path)
      },
    )
  })
})

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
    "refuses to replace a foreign %s that stands where a name has to go, and changes nothing",
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

  it.each(["a file", "a directory", "a link of somebody else's"])(
    "refuses %s in place of the link",
    async (kind) => {
      await withFolder(async (folder) => {
        const link = join(folder, "..data")
        if (kind === "a file") fs.writeFileSync(link, "")
        else fs.mkdirSync(kind === "a directory" ? link : join(folder, "..2026_theirs"))
        if (kind === "a link of somebody else's") fs.symlinkSync("..2026_theirs", link)
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

  it("writes a file anew that a consumer has changed in place, in a new inode", async () => {
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

if (!ROOT)
  process.stdout.write("full, read-only and foreign file systems are not tested: it needs root to mount\n")

describe.skipIf(!ROOT)("file systems that say no", () => {
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
