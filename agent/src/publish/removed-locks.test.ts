import fs from "node:fs"
import { basename, join } from "node:path"
import { createLog } from "@headrace/shared/observe/log"
import { withFolder } from "@headrace/test/harness/with-folder"
import { projectionOptions, revisionOf } from "@headrace/test/harness/with-projection"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import type { Disk } from "../disk/disk.ts"
import { openNodeDisk } from "../disk/node-disk.ts"
import { withRetainedAlone } from "../retain/open-retained.ts"
import { approve, pin, rollback, shownRevision } from "../retain/revisions.ts"
import type { ProjectionState } from "../store/projection-state.ts"
import { NOTE_PREFIX } from "../store/store.ts"
import { openProjection } from "./open-projection.ts"

const log = createLog("test", { level: "silent" })
const { signal } = new AbortController()
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

function clearLocks(): void {
  for (const name of fs.readdirSync(locks)) fs.rmSync(join(locks, name))
}

const clearings: { [what: string]: () => void } = {
  "the lock files": clearLocks,
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

describe("an operator's command whose lock is removed while it runs", () => {
  it.each(["before its pin is written", "between its pin and the rename"])(
    "rolls back nothing: %s",
    async (when) => {
      await withFolder(async (folder) => {
        const path = join(folder, "shown")
        const projection = await openProjection(
          projectionOptions(path, { keep: { revisions: 3, age: 0, bytes: 1e9 } }),
        )
        for (const seq of [1, 2]) await projection.publish(revisionOf(seq, { a: `${seq}` }))
        await projection.settled()
        const real = openNodeDisk()
        let clearings = 0
        const disk: Disk = {
          ...real,
          rename(from, to) {
            real.rename(from, to)
            if (!basename(from).startsWith(NOTE_PREFIX)) return
            clearings += 1
            clearLocks()
          },
        }
        await expect(
          withRetainedAlone({ path, log, signal, disk }, async (retained) => {
            if (when.startsWith("before")) clearLocks()
            await rollback(retained, "c1", "test")
          }),
        ).rejects.toMatchObject({ code: "publish/lost-lock" })
        expect(clearings).toBe(when.startsWith("before") ? 0 : 1)
        expect(fs.readFileSync(join(path, "a"), "utf8")).toBe("2")
        await withRetainedAlone({ path, log, signal }, (retained) => rollback(retained, "c1", "test"))
        expect(fs.readFileSync(join(path, "a"), "utf8")).toBe("1")
        await projection.close()
      })
    },
  )

  it("neither pins nor approves", async () => {
    await withFolder(async (folder) => {
      const path = join(folder, "shown")
      const projection = await openProjection(projectionOptions(path))
      await projection.publish(revisionOf(1, { a: "1" }))
      await projection.settled()
      for (const change of [
        (retained: ProjectionState) => approve(retained, "c9"),
        (retained: ProjectionState) => pin(retained, shownRevision(retained), "test"),
      ]) {
        const alone = withRetainedAlone({ path, log, signal }, async (retained) => {
          clearLocks()
          await change(retained)
        })
        await expect(alone).rejects.toMatchObject({ code: "publish/lost-lock" })
      }
      expect(projection.approved()).toBeUndefined()
      expect((await projection.publish(revisionOf(2, { a: "2" }))).outcome).toBe("published")
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
