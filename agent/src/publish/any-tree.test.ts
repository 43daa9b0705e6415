import fs from "node:fs"
import { join } from "node:path"
import { hasCode } from "@headrace/shared/foundation/errors"
import { whySkipped } from "@headrace/test/harness/why-skipped"
import { withFolder } from "@headrace/test/harness/with-folder"
import { projectionOptions, revisionOf } from "@headrace/test/harness/with-projection"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { throughKoffi } from "../disk/native-calls.ts"
import type { LayoutName } from "../layout/open-layout.ts"
import type { Revision } from "../store/revision.ts"
import { type OpenProjection, openProjection } from "./open-projection.ts"

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
    "..revision.json",
    ".headrace-shown",
    "d",
    "lost+found",
    "-",
    "~",
    "out",
    "shown",
    "a\0",
  ),
  fc.string({ maxLength: 8, unit: "binary" }),
)
const path = fc.array(element, { minLength: 1, maxLength: 4 }).map((elements) => elements.join("/"))
const mode = fc.oneof(fc.constantFrom(0o444, 0o555), fc.integer({ min: 0, max: 0o7777 }))
const content = fc.record({ text: fc.string({ maxLength: 4 }), mode })
const tree = fc.dictionary(path, content, { maxKeys: 6 })
const id = fc.oneof(
  { weight: 4, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.constantFrom("..", ".", "a/b", "", "-x", "../../out/a") },
)
const step = fc.record({ tree, id })
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** Everything under a folder but the projection: names, kinds, modes, owners, times, links and contents. */
function snapshot(folder: string): string[] {
  const names = fs.readdirSync(folder, { recursive: true, encoding: "utf8" })
  return names
    .filter((name) => !/^(shown|\.headrace-shown)(\/|$)/.test(name))
    .sort()
    .map((name) => {
      const full = join(folder, name)
      const found = fs.lstatSync(full)
      const content = found.isFile()
        ? fs.readFileSync(full, "utf8")
        : found.isSymbolicLink()
          ? fs.readlinkSync(full)
          : ""
      return `${name} ${found.mode} ${found.uid} ${found.gid} ${found.isDirectory() ? "" : found.mtimeMs} ${content}`
    })
}

function revisionAt(seq: number, { tree, id }: Step): Revision {
  const revision = revisionOf(
    seq,
    Object.fromEntries(Object.entries(tree).map(([name, { text }]) => [name, text])),
  )
  const modes = Object.values(tree).map(({ mode }) => mode)
  return {
    ...revision,
    id: id ?? revision.id,
    files: revision.files.map((file, index) => ({
      ...file,
      // What revisionOf makes of a name that ends with a star is for other tests.
      path: Object.keys(tree)[index] ?? "",
      mode: modes[index] ?? 0o444,
    })),
  }
}

const REFUSED = ["publish/bad-path", "publish/bad-revision"] as const

/** Publishes one after the other; after each, what is shown has to be the last that was not refused. */
async function publishEach(
  projection: OpenProjection,
  path: string,
  layout: LayoutName,
  steps: Step[],
): Promise<void> {
  let shown: Revision | undefined
  for (const [index, step] of steps.entries()) {
    const revision = revisionAt(index + 1, step)
    const refused = await projection.publish(revision).then(
      () => undefined,
      (error: unknown) => error,
    )
    if (refused === undefined) shown = revision
    else if (!REFUSED.some((code) => hasCode(refused, code))) throw refused
    for (const file of shown?.files ?? []) {
      const place = layout === "file" ? path : join(path, layout === "links" ? "..data" : ".", file.path)
      expect(fs.readFileSync(place).equals(await file.read())).toBe(true)
      // Nobody may write what revisions share, and no set-id bit comes from outside.
      expect(fs.statSync(place).mode & 0o7222).toBe(0)
    }
  }
}

describe.each<[LayoutName, number]>([
  ["links", 150],
  ["exchange", 75],
  ["file", 75],
])("any names, trees, modes and ids (layout %s)", (layout, numRuns) => {
  const isMissing = layout === "exchange" && throughKoffi() === undefined
  it.skipIf(isMissing)(
    `are published as they are or refused as a whole, and nothing outside of the projection changes${whySkipped(isMissing ? "koffi is not installed" : undefined)}`,
    async () => {
      const property = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 4 }), (steps) =>
        withFolder(async (folder) => {
          fs.mkdirSync(join(folder, "out/d"), { recursive: true })
          fs.writeFileSync(join(folder, "out/a"), "outside")
          fs.symlinkSync("out", join(folder, "link"))
          if (layout === "links") fs.mkdirSync(join(folder, "shown"))
          const before = snapshot(folder)
          const path = join(folder, "shown")
          const projection = await openProjection(projectionOptions(path, { layout }))
          await publishEach(projection, path, layout, steps)
          await projection.close()
          expect(snapshot(folder)).toEqual(before)
        }),
      )
      await fc.assert(property, { numRuns })
    },
  )
})
