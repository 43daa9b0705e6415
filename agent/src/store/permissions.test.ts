import fs from "node:fs"
import { join } from "node:path"
import { createLog } from "@headrace/shared/observe/log"
import { notRoot, whySkipped } from "@headrace/test/harness/why-skipped"
import { withFolder } from "@headrace/test/harness/with-folder"
import { projectionOptions, revisionOf } from "@headrace/test/harness/with-projection"
import { describe, expect, it } from "vitest"
import { throughKoffi } from "../disk/native-calls.ts"
import { openProjection } from "../publish/open-projection.ts"
import { withRetained } from "../retain/open-retained.ts"
import { shownRevision } from "../retain/revisions.ts"
import { verifySlot } from "../retain/verify.ts"

const ROOT = process.getuid?.() === 0
if (!ROOT)
  process.stdout.write("owners of published files are not tested: it needs root to give files away\n")

const PERMISSIONS = { uid: 1234, gid: 4321, file: 0o440, executable: 0o550, directory: 0o2750 }
const FILES = { a: "1", "d/e/run*": "#!" }
const log = createLog("test", { level: "silent" })

function ownerAndMode(path: string): string {
  const { uid, gid, mode } = fs.statSync(path)
  return `${uid}:${gid} ${(mode & 0o7777).toString(8)}`
}

describe.skipIf(!ROOT)(`owner and modes${whySkipped(notRoot())}`, () => {
  it.each(["links", ...(throughKoffi() ? (["exchange"] as const) : [])] as const)(
    "are those asked for, of each file and folder, and files that have them are linked (layout %s)",
    async (layout) => {
      await withFolder(async (folder) => {
        const path = join(folder, "shown")
        const options = projectionOptions(path, { layout, permissions: PERMISSIONS })
        const projection = await openProjection(options)
        await projection.publish(revisionOf(1, FILES))
        const shown = layout === "links" ? join(path, "..data/") : path
        expect(["", "d", "d/e"].map((name) => ownerAndMode(join(shown, name)))).toEqual(
          Array.from({ length: 3 }, () => "1234:4321 2750"),
        )
        expect(ownerAndMode(join(shown, "a"))).toBe("1234:4321 440")
        expect(ownerAndMode(join(shown, "d/e/run"))).toBe("1234:4321 550")

        await projection.settled()
        const second = await projection.publish(revisionOf(2, { ...FILES, b: "2" }))
        expect(second).toMatchObject({ filesWritten: 1, filesLinked: 2 })
        expect(ownerAndMode(join(shown, "d"))).toBe("1234:4321 2750")
        await projection.close()
      })
    },
  )

  it("of the one file of layout file too", async () => {
    await withFolder(async (folder) => {
      const path = join(folder, "shown")
      const projection = await openProjection(
        projectionOptions(path, { layout: "file", permissions: PERMISSIONS }),
      )
      await projection.publish(revisionOf(1, { "tool*": "#!" }))
      expect(ownerAndMode(path)).toBe("1234:4321 550")
      await projection.close()
    })
  })

  it("rewrite files when they change in the settings, and are no damage to commands that only read", async () => {
    await withFolder(async (folder) => {
      const path = join(folder, "shown")
      const first = await openProjection(projectionOptions(path, { permissions: PERMISSIONS }))
      await first.publish(revisionOf(1, FILES))
      await first.close()
      const damaged = await withRetained({ path, log, signal: new AbortController().signal }, (retained) =>
        verifySlot(retained, shownRevision(retained), { digests: true }),
      )
      expect(damaged).toEqual([])

      const again = await openProjection(projectionOptions(path, { permissions: { ...PERMISSIONS, gid: 5 } }))
      expect(again.damaged()).toEqual(["a", "d/e/run"])
      expect((await again.publish(revisionOf(1, FILES))).outcome).toBe("published")
      expect(ownerAndMode(join(path, "a"))).toBe("1234:5 440")
      await again.close()
    })
  })
})
