import fs from "node:fs"
import { basename, dirname, join } from "node:path"
import { createLog } from "@headrace/shared/observe/log"
import { whySkipped } from "@headrace/test/harness/why-skipped"
import { withFolder } from "@headrace/test/harness/with-folder"
import { projectionOptions, revisionOf } from "@headrace/test/harness/with-projection"
import { describe, expect, it } from "vitest"
import { throughKoffi } from "../disk/native-calls.ts"
import type { LayoutName } from "../layout/open-layout.ts"
import { withRevision } from "../read/with-revision.ts"
import { withRetainedAlone } from "../retain/open-retained.ts"
import { rollback } from "../retain/revisions.ts"
import { openProjection } from "./open-projection.ts"

const log = createLog("test", { level: "silent" })
const signal = new AbortController().signal
const LAYOUTS = ["links", "file", ...(throughKoffi() ? (["exchange"] as const) : [])] as const

function storeOf(path: string, layout: LayoutName): string {
  return layout === "links" ? join(path, "..rev") : join(dirname(path), `.headrace-${basename(path)}`)
}

function read(path: string, layout: LayoutName): string {
  return fs.readFileSync(layout === "file" ? path : join(path, "a"), "utf8")
}

/** Publishes 1 to `count`, destroys what `destroy` wants, and opens again. */
async function afterDestroying(
  layout: LayoutName,
  count: number,
  destroy: (store: string, path: string) => Promise<void> | void,
  action: (projection: Awaited<ReturnType<typeof openProjection>>, path: string) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const path = join(folder, "shown")
    const options = projectionOptions(path, { layout, keep: { revisions: 2, age: 0, bytes: 1e9 } })
    const first = await openProjection(options)
    for (let seq = 1; seq <= count; seq++) await first.publish(revisionOf(seq, { a: `${seq}` }))
    await first.settled()
    await first.close()
    await destroy(storeOf(path, layout), path)
    const projection = await openProjection({
      ...options,
      keep: { revisions: 1, age: 0, bytes: 1e9 },
    })
    try {
      await action(projection, path)
    } finally {
      await projection.close()
    }
  })
}

function overwrite(file: string): void {
  fs.chmodSync(file, 0o644)
  fs.writeFileSync(file, "{")
}

describe.each(LAYOUTS)("a manifest that is lost (layout %s)", (layout) => {
  it.each([1, 3])("of what is shown, of %i: it stays shown, and the next publish goes on", async (count) => {
    const destroy = (store: string) => overwrite(join(store, `000${count}/manifest.json`))
    await afterDestroying(layout, count, destroy, async (projection, path) => {
      expect(read(path, layout)).toBe(`${count}`)
      expect(projection.floor().seq).toBe(count)
      await expect(projection.publish(revisionOf(count - 1, { a: "older" }))).rejects.toMatchObject({
        code: "publish/behind",
      })
      await projection.publish(revisionOf(9, { a: "9" }))
      expect(read(path, layout)).toBe("9")
    })
  })

  it("of what was rolled back to: it is not pruned for an old one", async () => {
    const destroy = async (store: string, path: string) => {
      await withRetainedAlone({ path, log, signal }, (retained) => rollback(retained, "c2", "test"))
      overwrite(join(store, "0002/manifest.json"))
    }
    await afterDestroying(layout, 3, destroy, async (_projection, path) => {
      expect(read(path, layout)).toBe("2")
    })
  })
})

describe("what is shown is lost while a revision is pinned", () => {
  it.each(["links", "file"] as const)("and comes back as the pinned one (layout %s)", async (layout) => {
    const destroy = async (_store: string, path: string) => {
      await withRetainedAlone({ path, log, signal }, (retained) => rollback(retained, "c2", "test"))
      if (layout === "links") fs.rmSync(join(path, "..data"))
      else overwrite(path)
    }
    await afterDestroying(layout, 3, destroy, async (_projection, path) => {
      expect(read(path, layout)).toBe("2")
    })
  })
})

describe.skipIf(!throughKoffi())(
  `the manifest inside a directory of layout exchange${whySkipped(throughKoffi() ? undefined : "koffi is not installed")}`,
  () => {
    it.each(["is gone", "is damaged alone"])("comes back when it %s", async (what) => {
      const destroy = (_store: string, path: string) => {
        const identity = join(path, "..revision.json")
        fs.rmSync(identity)
        if (what !== "is gone") fs.writeFileSync(identity, "{")
      }
      await afterDestroying("exchange", 2, destroy, async (projection, path) => {
        expect(projection.current()).toMatchObject({ id: "c2", number: 2 })
        expect(JSON.parse(fs.readFileSync(join(path, "..revision.json"), "utf8")).number).toBe(2)
        await projection.publish(revisionOf(3, { a: "3" }))
        expect(read(path, "exchange")).toBe("3")
      })
    })

    it.each([
      ["the one inside", false],
      ["both", true],
    ])("keeps a leased directory that has lost %s until its reader is done", async (_which, both) => {
      await withFolder(async (folder) => {
        const path = join(folder, "shown")
        const keep = { revisions: 1, age: 0, bytes: 1e9 }
        const projection = await openProjection(projectionOptions(path, { layout: "exchange", keep }))
        await projection.publish(revisionOf(1, { a: "1" }))
        await projection.settled()
        await withRevision(path, async (revision) => {
          fs.rmSync(join(path, "..revision.json"))
          if (both) fs.rmSync(join(storeOf(path, "exchange"), "0001/manifest.json"))
          for (const seq of [2, 3]) {
            await projection.publish(revisionOf(seq, { a: `${seq}` }))
            await projection.settled()
          }
          expect(fs.readFileSync(join(revision.path, "a"), "utf8")).toBe("1")
          expect(read(path, "exchange")).toBe("3")
        })
        await projection.publish(revisionOf(4, { a: "4" }))
        await projection.settled()
        expect(fs.readdirSync(storeOf(path, "exchange")).filter((name) => /^\d/.test(name))).toEqual(["0004"])
        await projection.close()
      })
    })

    it("keeps a leased directory of an older revision that has lost the one inside", async () => {
      await withFolder(async (folder) => {
        const path = join(folder, "shown")
        const keep = { revisions: 1, age: 0, bytes: 1e9 }
        const projection = await openProjection(projectionOptions(path, { layout: "exchange", keep }))
        await projection.publish(revisionOf(1, { a: "1" }))
        await withRevision(path, async (revision) => {
          await projection.publish(revisionOf(2, { a: "2" }))
          await projection.settled()
          fs.rmSync(join(revision.path, "..revision.json"))
          await projection.publish(revisionOf(3, { a: "3" }))
          await projection.settled()
          expect(fs.readFileSync(join(revision.path, "a"), "utf8")).toBe("1")
        })
        await projection.close()
      })
    })
  },
)
