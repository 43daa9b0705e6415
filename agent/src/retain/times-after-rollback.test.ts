import fs from "node:fs"
import { join } from "node:path"
import { createLog } from "@headrace/shared/observe/log"
import { withFolder } from "@headrace/test/harness/with-folder"
import { projectionOptions, revisionOf } from "@headrace/test/harness/with-projection"
import { expect, it } from "vitest"
import { openProjection } from "../publish/open-projection.ts"
import { withRetainedAlone } from "./open-retained.ts"
import { rollback, unpin } from "./revisions.ts"

const log = createLog("test", { level: "silent" })
const signal = new AbortController().signal
const OLD = new Date("2026-01-01T00:00:00Z")

/** Modification times of what a polling reader looks at, by what it shows there. */
function times(path: string, names: readonly string[]): Record<string, number> {
  return Object.fromEntries(names.map((name) => [name, fs.statSync(join(path, name)).mtimeMs]))
}

function later(before: Record<string, number>, after: Record<string, number>): string[] {
  return Object.keys(before).filter((name) => (after[name] ?? 0) > (before[name] ?? 0))
}

it.each([
  ["links", ["a", "d/b", "d", "."]],
  ["exchange", ["a", "d/b", "d", "."]],
  ["file", ["."]],
] as const)(
  "layout %s: after a rollback, and after it ends, what changed has a later time",
  async (layout, names) => {
    await withFolder(async (folder) => {
      const path = join(folder, "shown")
      const seen = layout === "links" ? join(path, "..data") : path
      const files = (text: string) =>
        layout === "file" ? { a: text } : { a: text, "d/b": text, same: "same" }
      const options = projectionOptions(path, { layout })
      const projection = await openProjection(options)
      await projection.publish(revisionOf(1, files("1")))
      // Published long ago.
      const slot = layout === "links" ? fs.realpathSync(seen) : path
      for (const name of names) fs.utimesSync(join(slot, name), OLD, OLD)
      await projection.publish(revisionOf(2, files("2")))
      await projection.settled()
      const second = times(seen, names)

      await withRetainedAlone({ path, log, signal }, (retained) => rollback(retained, undefined, "test"))
      const back = times(seen, names)
      expect(later(second, back)).toEqual([...names])

      await withRetainedAlone({ path, log, signal }, unpin)
      await projection.publish(revisionOf(3, files("3")))
      expect(later(back, times(seen, names))).toEqual([...names])
      await projection.close()
    })
  },
)

it("a file that takes the place of another by its content has a later time too", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "shown")
    const projection = await openProjection(projectionOptions(path))
    await projection.publish(revisionOf(1, { a: "x", b: "y" }))
    await new Promise((resolve) => setTimeout(resolve, 20))
    await projection.publish(revisionOf(2, { a: "x", b: "z" }))
    const before = times(path, ["a", "b"])
    await new Promise((resolve) => setTimeout(resolve, 20))
    await projection.publish(revisionOf(3, { a: "z", b: "x" }))
    expect(later(before, times(path, ["a", "b"]))).toEqual(["a", "b"])
    await projection.close()
  })
})
