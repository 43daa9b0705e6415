import fs from "node:fs"
import { join } from "node:path"
import { layOutOldStore } from "@headrace/test/harness/old-store"
import { withFolder } from "@headrace/test/harness/with-folder"
import { projectionOptions, revisionOf } from "@headrace/test/harness/with-projection"
import { describe, expect, it } from "vitest"
import { nativeCalls } from "../disk/native-calls.ts"
import { openProjection } from "../publish/open-projection.ts"
import { parseManifest } from "./manifest.ts"
import type { Origin } from "./origin.ts"
import type { Revision } from "./revision.ts"

const EPOCH = 1763000000000

function of(source: string, epoch: number, seq: number, text: string): Revision {
  const revision = revisionOf(seq, { a: text })
  const origin: Origin = { source, instance: null, revision: revision.id, token: { epoch, seq } }
  return { ...revision, token: origin.token, origins: [origin] }
}

function storeOf(folder: string, layout: string): string {
  return layout === "links" ? join(folder, "shown/..rev") : join(folder, ".headrace-shown")
}

function shownText(folder: string, layout: string): string {
  return fs.readFileSync(layout === "file" ? join(folder, "shown") : join(folder, "shown/a"), "utf8")
}

function formatIn(file: string): number {
  const { format }: { format: number } = JSON.parse(fs.readFileSync(file, "utf8"))
  return format
}

describe.each(["links", "exchange", "file"] as const)("a store of format 1 (layout %s)", (layout) => {
  it("is read as it is, keeps its floor for the source that it had, and its lock goes", async () => {
    await withFolder(async (folder) => {
      layOutOldStore(folder, layout)
      const projection = await openProjection(projectionOptions(join(folder, "shown"), { layout }))
      try {
        expect(projection.current()).toMatchObject({ id: "c2", number: 2, token: { epoch: EPOCH, seq: 11 } })
        expect(shownText(folder, layout)).toBe("two\n")
        const older = of("record headrace/release", EPOCH, 10, "older")
        await expect(projection.publish(older)).rejects.toMatchObject({ code: "publish/behind" })
        await projection.publish(of("record headrace/release", EPOCH, 12, "three"))
        expect(shownText(folder, layout)).toBe("three")
        expect(fs.existsSync(join(storeOf(folder, layout), "lock"))).toBe(false)
      } finally {
        await projection.close()
      }
    })
  })

  it("lets a git branch follow the record that it showed", async () => {
    await withFolder(async (folder) => {
      layOutOldStore(folder, layout)
      const projection = await openProjection(projectionOptions(join(folder, "shown"), { layout }))
      try {
        await projection.publish(of("git main of 012345678901", 0, 1, "from git"))
        expect(shownText(folder, layout)).toBe("from git")
      } finally {
        await projection.close()
      }
    })
  })

  it("stops programs that know only format 1, from the moment it is opened: note and manifests say 2", async () => {
    await withFolder(async (folder) => {
      layOutOldStore(folder, layout)
      const store = storeOf(folder, layout)
      const projection = await openProjection(projectionOptions(join(folder, "shown"), { layout }))
      try {
        // What c91ba4d reads first; a format above 1 ends it with publish/newer-format, and what is shown stays.
        expect(formatIn(join(store, "published.json"))).toBe(2)
        await projection.publish(of("record headrace/release", EPOCH, 12, "three"))
        expect(formatIn(join(store, "0003/manifest.json"))).toBe(2)
        if (layout === "exchange") expect(formatIn(join(folder, "shown/..revision.json"))).toBe(2)
      } finally {
        await projection.close()
      }
    })
  })

  it("is left alone while a program of format 1 publishes to it", async () => {
    await withFolder(async (folder) => {
      layOutOldStore(folder, layout)
      const file = fs.openSync(join(storeOf(folder, layout), "lock"), "r+")
      try {
        expect(await nativeCalls().flock(file, "exclusive")).toBe(true)
        const opening = openProjection(projectionOptions(join(folder, "shown"), { layout }))
        await expect(opening).rejects.toMatchObject({ code: "publish/locked" })
        expect(formatIn(join(storeOf(folder, layout), "published.json"))).toBe(1)
      } finally {
        fs.closeSync(file)
      }
    })
  })
})

it.each(["../x", "/etc/passwd", "a/../../x", "a//b", ""])("a manifest that names %j is none", (path) => {
  const file = { path, mode: 0o444, size: 0, sha256: "0".repeat(64), inode: 1, modified: 1 }
  const head = { format: 1, revision: "r1", number: 1, token: { epoch: 1, seq: 1 }, created: "now" }

  expect(() => parseManifest(JSON.stringify({ ...head, files: [file] }), "manifest")).toThrow(
    "is no manifest",
  )
  expect(parseManifest(JSON.stringify({ ...head, files: [{ ...file, path: "a/b" }] }), "m").number).toBe(1)
  expect(() => parseManifest(JSON.stringify({ ...head, revision: "../r", files: [] }), "m")).toThrow(
    "is no manifest",
  )
})
