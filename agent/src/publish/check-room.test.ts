import fs from "node:fs"
import { join } from "node:path"
import { withFolder } from "@headrace/test/harness/with-folder"
import { projectionOptions, revisionOf } from "@headrace/test/harness/with-projection"
import { expect, it } from "vitest"
import { openNodeDisk } from "../disk/node-disk.ts"
import { openProjection } from "./open-projection.ts"

const SIZE = 2 ** 20

it.each([
  ["links", 1.5, "published"],
  ["file", 1.5, "disk/full"],
  ["file", 2.5, "published"],
] as const)("layout %s with room for %d times the bytes: %s", async (layout, times, outcome) => {
  await withFolder(async (folder) => {
    const path = join(folder, "shown")
    const disk = { ...openNodeDisk(), space: () => ({ bytes: times * SIZE, inodes: 1000 }) }
    const projection = await openProjection(projectionOptions(path, { layout, disk }))
    try {
      const publishing = projection.publish(revisionOf(1, { a: "x".repeat(SIZE) }))
      if (outcome === "published") expect(await publishing).toMatchObject({ outcome })
      else await expect(publishing).rejects.toMatchObject({ code: outcome })
      expect(fs.existsSync(layout === "file" ? path : join(path, "a"))).toBe(outcome === "published")
    } finally {
      await projection.close()
    }
  })
})
