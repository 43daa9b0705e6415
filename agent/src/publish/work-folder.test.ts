import fs from "node:fs"
import { join } from "node:path"
import { withDiskFolder, withFolder } from "@headrace/test/harness/with-folder"
import { projectionOptions, revisionOf } from "@headrace/test/harness/with-projection"
import { describe, expect, it } from "vitest"
import { openProjection } from "./open-projection.ts"

/** Nothing is pruned: a watcher of an old revision sees it go wherever that happens. */
const keep = { revisions: 9, age: 0, bytes: 1e9 }
const tree = (text: string) => ({
  a: text,
  ...Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`d/${at}`, "same"])),
})

/** Events that a watcher of every folder of the projection gets for the third revision, with all that follows it. */
async function eventsOfThird(folder: string, workFolder: string | undefined): Promise<string[]> {
  const path = join(folder, "shown")
  const projection = await openProjection(projectionOptions(path, { keep, workFolder }))
  for (const seq of [1, 2]) {
    await projection.publish(revisionOf(seq, tree(`${seq}`)))
    await projection.settled()
  }
  const events: string[] = []
  const names = fs.readdirSync(path, { recursive: true, withFileTypes: true })
  const folders = names
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
  const watchers = [path, ...folders].map((each) =>
    fs.watch(each, (event, name) => events.push(`${event} ${join(each, name ?? "")}`)),
  )
  await new Promise((resolve) => setTimeout(resolve, 300))
  events.length = 0
  await projection.publish(revisionOf(3, tree("3")))
  await projection.settled()
  await new Promise((resolve) => setTimeout(resolve, 300))
  for (const watcher of watchers) watcher.close()
  await projection.close()
  expect(fs.readFileSync(join(path, "a"), "utf8")).toBe("3")
  return events
}

describe("a folder for what is in the making", () => {
  it("keeps all but the change itself from a recursive watcher of the projection", async () => {
    await withFolder(async (folder) => {
      const outside = await eventsOfThird(join(folder, "one"), join(folder, "work"))
      const inside = await eventsOfThird(join(folder, "two"), undefined)

      expect(outside.filter((event) => /\.(staging|trash|link|note)/.test(event))).toEqual([])
      expect(outside.length, outside.join("\n")).toBeLessThan(10)
      expect(inside.length).toBeGreaterThan(2 * outside.length)
      expect(fs.readdirSync(join(folder, "one/shown/..rev")).sort()).toEqual([
        "0001",
        "0002",
        "0003",
        "published.json",
      ])
      expect(fs.readdirSync(join(folder, "work"))).toEqual([])
    })
  })

  it("is refused on another file system, and nothing stays there", async () => {
    await withDiskFolder(async (folder) => {
      const elsewhere = fs.mkdtempSync("/dev/shm/headrace-")
      try {
        const opening = openProjection(projectionOptions(join(folder, "shown"), { workFolder: elsewhere }))
        await expect(opening).rejects.toMatchObject({ code: "disk/other-file-system" })
        expect(fs.readdirSync(elsewhere)).toEqual([])
      } finally {
        fs.rmSync(elsewhere, { recursive: true })
      }
    })
  })
})
