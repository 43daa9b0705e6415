import fs from "node:fs"
import { join } from "node:path"
import { afterDamage, publishNext } from "@headrace/test/harness/after-damage"
import { revisionOf } from "@headrace/test/harness/with-projection"
import { describe, expect, it } from "vitest"
import type { Disk } from "../disk/disk.ts"
import { openNodeDisk } from "../disk/node-disk.ts"

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
        await projection.settled()
        // One, the clone for the next publish, may stand there.
        const [first = "", ...names] = fs.readdirSync(join(path, "..rev")).sort()
        expect(first.startsWith(".staging-") ? names : [first, ...names]).toEqual(["0001", "published.json"])
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
