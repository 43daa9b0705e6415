import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { sha256 } from "@headrace/shared/foundation/digest"
import { withFolder } from "@headrace/test/harness/with-folder"
import { expect, it } from "vitest"
import { readKnownFile, writeKnownFile } from "./known-file.ts"

it("gives the JSON that was written", async () => {
  await withFolder(async (folder) => {
    await writeKnownFile(folder, "parts", '{"a":[1]}')
    expect(await readKnownFile(folder, "parts")).toEqual({ a: [1] })
  })
})

it.each([
  ["is not there", undefined],
  ["is empty", ""],
  ["was torn", `${sha256('{"a":[1]}')}\n{"a":`],
  ["has no digest", '{"a":[1]}'],
  ["is no JSON, by its own digest", `${sha256("not JSON")}\nnot JSON`],
  ["is empty after its digest", `${sha256("")}\n`],
])("gives nothing of a file that %s", async (_what, text) => {
  await withFolder(async (folder) => {
    if (text !== undefined) await writeFile(join(folder, "parts"), text)
    expect(await readKnownFile(folder, "parts")).toBeUndefined()
  })
})
