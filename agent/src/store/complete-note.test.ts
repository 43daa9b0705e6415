import fs from "node:fs"
import { join } from "node:path"
import { withFolder } from "@headrace/test/harness/with-folder"
import { projectionOptions, revisionOf } from "@headrace/test/harness/with-projection"
import { describe, expect, it } from "vitest"
import { openNodeDisk } from "../disk/node-disk.ts"
import { openProjection } from "../publish/open-projection.ts"

/** Publishes tokens 1 to 3, one file each, and closes. */
async function publishThree(path: string): Promise<void> {
  const projection = await openProjection(projectionOptions(path))
  for (const seq of [1, 2, 3]) await projection.publish(revisionOf(seq, { a: `${seq}` }))
  await projection.close()
}

const DAMAGES: [string, (store: string) => void][] = [
  ["its manifest is destroyed", (store) => overwrite(join(store, "0003/manifest.json"), "{")],
  ["its manifest is gone", (store) => fs.rmSync(join(store, "0003/manifest.json"))],
  ["all of it is gone", (store) => fs.rmSync(join(store, "0003"), { recursive: true })],
  [
    "all of it and the link are gone",
    (store) => {
      fs.rmSync(join(store, "0003"), { recursive: true })
      fs.rmSync(join(store, "../..data"))
    },
  ],
  ["a file of it is changed", (store) => overwrite(join(store, "0003/c3/a"), "?")],
]

function overwrite(file: string, text: string): void {
  fs.chmodSync(file, 0o644)
  fs.writeFileSync(file, text)
}

describe("the last published token", () => {
  it.each(DAMAGES)("is not gone below when, of the revision that is shown, %s", async (_what, damage) => {
    await withFolder(async (folder) => {
      const path = join(folder, "shown")
      await publishThree(path)
      damage(join(path, "..rev"))

      const projection = await openProjection(projectionOptions(path))
      expect(projection.floor()).toEqual({ epoch: 0, seq: 3 })
      await expect(projection.publish(revisionOf(2, { a: "older" }))).rejects.toMatchObject({
        code: "publish/behind",
      })
      expect(projection.current()?.token.seq ?? 3).toBe(3)
      await projection.publish(revisionOf(4, { a: "4" }))
      expect(fs.readFileSync(join(path, "a"), "utf8")).toBe("4")
      await projection.close()
    })
  })

  it.each(["gone", "empty", "no JSON", "of another shape"])(
    "is taken from the revisions when its note is %s, which stops nothing",
    async (what) => {
      await withFolder(async (folder) => {
        const path = join(folder, "shown")
        await publishThree(path)
        const note = join(path, "..rev/published.json")
        if (what === "gone") fs.rmSync(note)
        else fs.writeFileSync(note, what === "empty" ? "" : what === "no JSON" ? "{" : '{"format":1,"x":2}')

        const projection = await openProjection(projectionOptions(path))
        expect(projection.floor()).toEqual({ epoch: 0, seq: 3 })
        await projection.publish(revisionOf(3, { a: "3 again" }))
        expect(JSON.parse(fs.readFileSync(note, "utf8")).token).toEqual({ epoch: 0, seq: 3 })
        await projection.close()
      })
    },
  )

  it("counts a revision whose flip failed, since its note may have reached the disk first", async () => {
    await withFolder(async (folder) => {
      const path = join(folder, "shown")
      const real = openNodeDisk()
      let fails = false
      const disk = {
        ...real,
        symlink: (target: string, at: string) => {
          if (fails) throw Object.assign(new Error("no room"), { code: "ENOSPC" })
          real.symlink(target, at)
        },
      }
      const projection = await openProjection(projectionOptions(path, { disk }))
      await projection.publish(revisionOf(1, { a: "1" }))
      fails = true
      await expect(projection.publish(revisionOf(5, { a: "5" }))).rejects.toThrow("no room")
      fails = false

      expect(fs.readFileSync(join(path, "a"), "utf8")).toBe("1")
      expect(projection.floor()).toEqual({ epoch: 0, seq: 5 })
      await projection.publish(revisionOf(5, { a: "5" }))
      expect(fs.readFileSync(join(path, "a"), "utf8")).toBe("5")
      await projection.close()
    })
  })
})
