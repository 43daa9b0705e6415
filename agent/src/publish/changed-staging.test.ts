import fs from "node:fs"
import { join } from "node:path"
import { filesBelow } from "@headrace/test/harness/shown-files"
import { revisionOf, withProjection } from "@headrace/test/harness/with-projection"
import { describe, expect, it } from "vitest"

const files = (text: string) => ({ a: text, "d/b": "same", "d/c": "same too" })

/** The clone that waits for the next publish. */
function cloneIn(path: string, layout: string): string {
  const store = layout === "links" ? join(path, "..rev") : join(path, "../.headrace-shown")
  const [staging] = fs.readdirSync(store).filter((name) => name.startsWith(".staging-"))
  if (staging === undefined) throw new Error(`no clone in ${store}`)
  return join(store, staging, "files")
}

/** Until a change has another time than the clone: the kernel's clock ticks every few milliseconds. */
async function nextTick(clone: string): Promise<void> {
  const made = fs.statSync(clone).ctimeMs
  const probe = join(clone, "../../probe")
  await expect
    .poll(() => {
      fs.writeFileSync(probe, "")
      const { ctimeMs } = fs.statSync(probe)
      fs.rmSync(probe)
      return ctimeMs
    })
    .toBeGreaterThan(made)
}

const CHANGES: [string, (clone: string) => void][] = [
  ["another file comes into it", (clone) => fs.writeFileSync(join(clone, "d/other"), "")],
  ["another folder comes into it", (clone) => fs.mkdirSync(join(clone, "other"))],
  ["a file of it is removed", (clone) => fs.rmSync(join(clone, "d/b"))],
  [
    "a file of it is replaced",
    (clone) => {
      fs.rmSync(join(clone, "d/b"))
      fs.writeFileSync(join(clone, "d/b"), "not ours")
    },
  ],
  [
    "two files of it change places",
    (clone) => {
      fs.renameSync(join(clone, "d/b"), join(clone, "d/other"))
      fs.renameSync(join(clone, "d/c"), join(clone, "d/b"))
      fs.renameSync(join(clone, "d/other"), join(clone, "d/c"))
    },
  ],
  [
    "a link takes the place of a folder",
    (clone) => {
      fs.rmSync(join(clone, "d"), { recursive: true })
      fs.symlinkSync("/etc", join(clone, "d"))
    },
  ],
  ["it is removed", (clone) => fs.rmSync(clone, { recursive: true })],
]

describe.each(["links", "exchange"] as const)("layout %s: nothing of another program shows", (layout) => {
  it.each(CHANGES)("when the clone that is staged is changed: %s", async (_, change) => {
    await withProjection({ layout, prestage: true }, async (projection, path) => {
      await projection.publish(revisionOf(1, files("1")))
      await projection.settled()
      const clone = cloneIn(path, layout)
      await nextTick(clone)
      change(clone)

      await projection.publish(revisionOf(2, files("2")))

      const shown = await filesBelow(layout === "links" ? fs.realpathSync(join(path, "..data")) : path)
      expect(Object.fromEntries(Object.entries(shown).filter(([name]) => !name.startsWith("..")))).toEqual(
        files("2"),
      )
    })
  })
})
