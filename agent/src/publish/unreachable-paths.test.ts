import fs from "node:fs"
import { join } from "node:path"
import { withFolder } from "@headrace/test/harness/with-folder"
import { projectionOptions, revisionOf } from "@headrace/test/harness/with-projection"
import { describe, expect, it } from "vitest"
import type { Disk } from "../disk/disk.ts"
import { diskError } from "../disk/disk-error.ts"
import { openNodeDisk } from "../disk/node-disk.ts"
import { openProjection } from "./open-projection.ts"

type Operation = "look" | "list" | "readLink" | "read"

/** A disk that notes what is examined, by its real path, and gives an errno for one of those while `fault` names it. */
function faultyDisk() {
  const real = openNodeDisk()
  const seen = new Map<string, Operation>()
  const state: { fault: { path: string; errno: string } | undefined } = { fault: undefined }
  function examined<T>(operation: Operation, call: (path: string) => T): (path: string) => T {
    return (path) => {
      const at = path.replace(/^\/proc\/self\/fd\/(\d+)/, (_text, fd) =>
        fs.readlinkSync(`/proc/self/fd/${fd}`),
      )
      seen.set(at, operation)
      if (state.fault?.path !== at) return call(path)
      const { errno } = state.fault
      throw diskError("look at", at, Object.assign(new Error(errno), { code: errno }))
    }
  }
  const disk: Disk = {
    ...real,
    look: examined("look", real.look),
    list: examined("list", real.list),
    readLink: examined("readLink", real.readLink),
    read: examined("read", real.read),
  }
  return { disk, seen, state }
}

const LAYOUTS = ["links", "exchange", "file"] as const
type Layout = (typeof LAYOUTS)[number]

/** Where the files of the second revision are. */
const CONTENT = { links: "shown/..rev/0002/c2", exchange: "shown", file: ".headrace-shown/0002/c2" }
const ERRNOS = {
  links: ["EACCES", "EIO", "ESTALE", "ELOOP", "ENAMETOOLONG"],
  exchange: ["EIO"],
  file: ["EIO"],
}

const SIBLING = [".headrace-shown", ".headrace-shown/.", ".headrace-shown/published.json", "shown"]
/** What opening rests on: the store's folder, the note with its floors, and what says which revision is shown. */
const NEEDED = {
  links: ["shown/..data", "shown/..rev", "shown/..rev/.", "shown/..rev/published.json"],
  exchange: SIBLING,
  file: SIBLING,
}

const filesFor = (layout: Layout, text: string) =>
  layout === "file" ? { a: text } : { a: text, "d/b": "2", "d/e/c": "3" }

/** Every path that opening, examining and publishing look at beneath a projection that shows two revisions. */
async function pathsExamined(layout: Layout): Promise<string[]> {
  return await withFolder(async (folder) => {
    const { disk, seen } = faultyDisk()
    await twoRevisions(folder, layout)
    const projection = await openProjection(projectionOptions(join(folder, "shown"), { layout, disk }))
    await projection.examine()
    await projection.close()
    return [...seen.keys()].flatMap((path) =>
      path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : [],
    )
  })
}

async function twoRevisions(folder: string, layout: Layout): Promise<void> {
  const projection = await openProjection(projectionOptions(join(folder, "shown"), { layout }))
  await projection.publish(revisionOf(1, filesFor(layout, "one")))
  await projection.publish(revisionOf(2, filesFor(layout, "two")))
  await projection.close()
}

function shownText(folder: string, layout: Layout): string {
  return fs.readFileSync(join(folder, layout === "file" ? "shown" : "shown/a"), "utf8")
}

describe.each(LAYOUTS)("a path that cannot be examined (layout %s)", (layout) => {
  it("is an error or damage, whichever it is, loses nothing, and is right again when it can be", async () => {
    const paths = await pathsExamined(layout)
    expect(paths.length).toBeGreaterThan(5)
    const needed: string[] = []
    for (const path of paths) {
      await withFolder(async (folder) => {
        await twoRevisions(folder, layout)
        const { disk, state } = faultyDisk()
        const options = projectionOptions(join(folder, "shown"), { layout, disk })
        state.fault = { path: join(folder, path), errno: "EIO" }
        const projection = await openProjection(options).catch((error: unknown) => {
          needed.push(path)
          expect(error, path).toMatchObject({ code: expect.stringMatching(/^(disk|publish)\//) })
        })
        if (projection) {
          await projection.examine()
          await projection.publish(revisionOf(2, filesFor(layout, "two"))).catch((error: unknown) => {
            expect(error, path).toMatchObject({ code: expect.stringMatching(/^(disk|publish)\//) })
          })
          await projection.close()
        }
        state.fault = undefined
        expect(shownText(folder, layout), path).toBe("two")
        const again = await openProjection(options)
        await again.publish(revisionOf(3, filesFor(layout, "three")))
        expect(await again.examine(), path).toBe("right")
        expect(shownText(folder, layout), path).toBe("three")
        await again.close()
      })
    }
    expect(needed.sort()).toEqual(NEEDED[layout])
  })

  const BENEATH = layout === "file" ? ["a"] : ["a", "d", "d/b", "d/e"]
  it.each(ERRNOS[layout])(
    "is repaired by the next publish where it belongs to the revision (%s)",
    async (errno) => {
      for (const name of BENEATH) {
        await withFolder(async (folder) => {
          await twoRevisions(folder, layout)
          const { disk, state } = faultyDisk()
          const options = projectionOptions(join(folder, "shown"), { layout, disk })
          state.fault = { path: join(folder, CONTENT[layout], name), errno }
          const projection = await openProjection(options)
          expect(await projection.examine(), name).toBe("damaged")
          // The new revision's path is another one, but for layout exchange.
          if (layout === "exchange") state.fault = undefined
          await projection.publish(revisionOf(2, filesFor(layout, "two")))
          expect(await projection.examine(), name).toBe("right")
          expect(shownText(folder, layout)).toBe("two")
          await projection.close()
        })
      }
    },
  )
})
