import fs from "node:fs"
import { join } from "node:path"
import { withFolder } from "@headrace/test/harness/with-folder"
import { projectionOptions, revisionOf } from "@headrace/test/harness/with-projection"
import { describe, expect, it } from "vitest"
import { nativeCalls } from "../disk/native-calls.ts"
import { openProjection } from "./open-projection.ts"

/** Locks everything at and under a folder, each as a reader can do it; gives what releases them. */
async function lockAll(folder: string, kind: "shared" | "exclusive"): Promise<() => void> {
  const names = fs.readdirSync(folder, { recursive: true, encoding: "utf8" })
  const found = [folder, ...names.map((name) => join(folder, name))]
  const open = found
    .filter((path) => !fs.lstatSync(path).isSymbolicLink())
    .map((path) => fs.openSync(path, "r"))
  for (const fd of open) await nativeCalls().flock(fd, kind)
  return () => {
    for (const fd of open) fs.closeSync(fd)
  }
}

describe.each(["links", "exchange", "file"] as const)(
  "readers that lock all that they can open (layout %s)",
  (layout) => {
    it.each(["shared", "exclusive"] as const)(
      "with %s locks: publishing, closing and opening go on",
      async (kind) => {
        await withFolder(async (folder) => {
          const options = projectionOptions(join(folder, "shown"), { layout })
          const shownText = () =>
            fs.readFileSync(layout === "file" ? options.path : join(options.path, "a"), "utf8")
          const projection = await openProjection(options)
          await projection.publish(revisionOf(1, { a: "1" }))
          await projection.settled()
          const releases = [await lockAll(folder, kind)]
          try {
            await projection.publish(revisionOf(2, { a: "2" }))
            await projection.settled()
            releases.push(await lockAll(folder, kind))
            await projection.close()
            const again = await openProjection(options)
            await again.publish(revisionOf(3, { a: "3" }))
            expect(shownText()).toBe("3")
            await again.close()
          } finally {
            for (const release of releases) release()
          }
        })
      },
    )
  },
)

describe("the locks of a projection", () => {
  it("keep a second writer out, and are none of the files that its readers see", async () => {
    await withFolder(async (folder) => {
      const options = projectionOptions(join(folder, "shown"))
      const projection = await openProjection(options)
      await projection.publish(revisionOf(1, { a: "1" }))
      await projection.settled()

      await expect(openProjection(options)).rejects.toMatchObject({ code: "publish/locked" })
      const names = fs.readdirSync(folder, { recursive: true, encoding: "utf8" })
      expect(names.filter((name) => /lock/.test(name))).toEqual([])
      await projection.close()
    })
  })
})
