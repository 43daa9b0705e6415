import fs from "node:fs"
import { basename, join } from "node:path"
import { withFolder } from "@headrace/test/harness/with-folder"
import { projectionOptions, revisionOf } from "@headrace/test/harness/with-projection"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import type { Disk } from "../disk/disk.ts"
import { openNodeDisk } from "../disk/node-disk.ts"
import { openProjection } from "./open-projection.ts"

const named = process.env.HEADRACE_LOCK_FOLDER
let locks: string

beforeEach(() => {
  locks = fs.mkdtempSync("/tmp/headrace-locks-")
  process.env.HEADRACE_LOCK_FOLDER = locks
})
afterEach(() => {
  fs.rmSync(locks, { recursive: true, force: true })
  if (named === undefined) delete process.env.HEADRACE_LOCK_FOLDER
  else process.env.HEADRACE_LOCK_FOLDER = named
})

const clearings: { [what: string]: () => void } = {
  "the lock files": () => {
    for (const name of fs.readdirSync(locks)) fs.rmSync(join(locks, name))
  },
  "their folder": () => fs.rmSync(locks, { recursive: true }),
  "their folder, by another name": () => fs.renameSync(locks, `${locks}.old`),
}

describe.each(Object.entries(clearings))("locks of which somebody removed %s", (_, clear) => {
  afterEach(() => fs.rmSync(`${locks}.old`, { recursive: true, force: true }))

  it("are taken again by the next publish, and keep a second writer out then", async () => {
    await withFolder(async (folder) => {
      const options = projectionOptions(join(folder, "shown"))
      const projection = await openProjection(options)
      await projection.publish(revisionOf(1, { a: "1" }))
      clear()
      await projection.publish(revisionOf(2, { a: "2" }))
      await expect(openProjection(options)).rejects.toMatchObject({ code: "publish/locked" })
      expect(fs.readFileSync(join(options.path, "a"), "utf8")).toBe("2")
      await projection.close()
    })
  })

  it("are taken again when what readers see is examined", async () => {
    await withFolder(async (folder) => {
      const options = projectionOptions(join(folder, "shown"))
      const projection = await openProjection(options)
      await projection.publish(revisionOf(1, { a: "1" }))
      clear()
      expect(await projection.examine()).toBe("right")
      await expect(openProjection(options)).rejects.toMatchObject({ code: "publish/locked" })
      await projection.close()
    })
  })

  it("belong to the process that took them first: the other one publishes nothing, and says so", async () => {
    await withFolder(async (folder) => {
      const options = projectionOptions(join(folder, "shown"))
      const [first, revision] = [await openProjection(options), revisionOf(1, { a: "1" })]
      await first.publish(revision)
      await first.settled()
      clear()
      const second = await openProjection(options)
      await second.publish(revisionOf(2, { a: "second" }))
      await expect(first.publish(revisionOf(3, { a: "first" }))).rejects.toMatchObject({
        code: "publish/locked",
      })
      await expect(first.examine()).rejects.toMatchObject({ code: "publish/locked" })
      expect(fs.readFileSync(join(options.path, "a"), "utf8")).toBe("second")
      await second.close()
      await first.publish(revisionOf(4, { a: "first again" }))
      expect(fs.readFileSync(join(options.path, "a"), "utf8")).toBe("first again")
      await first.close()
    })
  })

  it("stop a publish that is under way before it shows anything", async () => {
    await withFolder(async (folder) => {
      const options = projectionOptions(join(folder, "shown"))
      const projection = await openProjection(options)
      await projection.publish(revisionOf(1, { a: "1" }))
      const late = { ...revisionOf(2, { a: "2" }), approve: async () => clear() }
      await expect(projection.publish(late)).rejects.toMatchObject({ code: "publish/lost-lock" })
      expect(fs.readFileSync(join(options.path, "a"), "utf8")).toBe("1")
      await projection.publish(revisionOf(2, { a: "2" }))
      expect(fs.readFileSync(join(options.path, "a"), "utf8")).toBe("2")
      await projection.close()
    })
  })
})

it("a lock file that is removed between opening and locking is no lock: another one is opened", async () => {
  await withFolder(async (folder) => {
    const real = openNodeDisk()
    let removed = 0
    const disk: Disk = {
      ...real,
      async lock(handle, kind) {
        if (removed < 3 && basename(handle.path).endsWith(".writer")) {
          removed += 1
          fs.rmSync(handle.path)
        }
        return real.lock(handle, kind)
      },
    }
    const path = join(folder, "shown")
    const projection = await openProjection(projectionOptions(path, { disk }))
    expect(removed).toBe(3)
    await expect(openProjection(projectionOptions(path))).rejects.toMatchObject({ code: "publish/locked" })
    await projection.close()
  })
})
