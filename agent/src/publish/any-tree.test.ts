import fs from "node:fs"
import { join } from "node:path"
import { hasCode } from "@headrace/shared/foundation/errors"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { withMemoryFolder } from "../../../test/harness/with-folder.ts"
import { projectionOptions, revisionOf } from "../../../test/harness/with-projection.ts"
import { openProjection } from "./open-projection.ts"

const element = fc.oneof(
  fc.constantFrom(
    "a",
    "b",
    "..",
    ".",
    "",
    "...",
    "..data",
    "..rev",
    "d",
    "lost+found",
    "-",
    "~",
    "out",
    "a\0",
  ),
  fc.string({ maxLength: 8, unit: "binary" }),
)
const path = fc.array(element, { minLength: 1, maxLength: 4 }).map((elements) => elements.join("/"))
const tree = fc.dictionary(path, fc.string({ maxLength: 4 }), { maxKeys: 6 })

/** Everything under a folder but `shown`: names, kinds, modes, times, links and contents. */
function snapshot(folder: string): string[] {
  const names = fs.readdirSync(folder, { recursive: true, encoding: "utf8" })
  return names
    .filter((name) => name !== "shown" && !name.startsWith("shown/"))
    .sort()
    .map((name) => {
      const full = join(folder, name)
      const found = fs.lstatSync(full)
      const content = found.isFile()
        ? fs.readFileSync(full, "utf8")
        : found.isSymbolicLink()
          ? fs.readlinkSync(full)
          : ""
      return `${name} ${found.mode} ${found.isDirectory() ? "" : found.mtimeMs} ${content}`
    })
}

/** Publishes trees one after the other; after each, what is shown has to be the last that was not refused. */
async function publishTrees(path: string, trees: readonly Record<string, string>[]): Promise<void> {
  const projection = await openProjection(projectionOptions(path))
  let shown: Record<string, string> = {}
  for (const [index, files] of trees.entries()) {
    const revision = revisionOf(index + 1, files)
    const refused = await projection.publish(revision).then(
      () => undefined,
      (error: unknown) => error,
    )
    if (refused === undefined) shown = files
    else if (!hasCode(refused, "publish/bad-path")) throw refused
    for (const [name, text] of Object.entries(shown)) {
      const file = join(path, "..data", name.replace(/\*$/, ""))
      expect(fs.readFileSync(file, "utf8")).toBe(Buffer.from(text).toString())
    }
  }
  await projection.close()
}

describe("any names, trees and modes", () => {
  it("are published as they are or refused as a whole, and nothing outside of the projection changes", async () => {
    const trees = fc.array(tree, { minLength: 1, maxLength: 4 })
    const property = fc.asyncProperty(trees, (published) =>
      withMemoryFolder(async (folder) => {
        fs.mkdirSync(join(folder, "out/d"), { recursive: true })
        fs.writeFileSync(join(folder, "out/a"), "outside")
        fs.symlinkSync("out", join(folder, "link"))
        fs.mkdirSync(join(folder, "shown"))
        const before = snapshot(folder)
        await publishTrees(join(folder, "shown"), published)
        expect(snapshot(folder)).toEqual(before)
      }),
    )
    await fc.assert(property, { numRuns: 150 })
  })
})
