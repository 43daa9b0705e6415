import { mkdir, readdir, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { sha256 } from "@headrace/shared/foundation/digest"
import { withFolder } from "@headrace/test/harness/with-folder"
import { expect, it } from "vitest"
import { readKnownObjects, writeKnownObjects } from "./known-objects.ts"

const name = `shard-${sha256("a shard")}`

it("removes what it noted and nothing else", async () => {
  await withFolder(async (folder) => {
    const known = join(folder, "..known")
    await writeKnownObjects(known, new Map([[name, []]]))
    await writeFile(join(known, "theirs"), "")
    await writeFile(join(known, `.${name}`), "left by a crash")
    expect([...(await readKnownObjects(known))]).toEqual([[name, []]])
    await writeKnownObjects(known, new Map())
    expect(await readdir(known)).toEqual(["theirs"])
  })
})

it("neither writes nor removes where a link in its folder's place leads to", async () => {
  await withFolder(async (folder) => {
    const elsewhere = join(folder, "elsewhere")
    await mkdir(join(elsewhere, "deep"), { recursive: true })
    await writeFile(join(elsewhere, `index-${sha256("an index")}`), "")
    const before = (await readdir(elsewhere)).sort()
    await symlink("elsewhere", join(folder, "..known"))
    await expect(writeKnownObjects(join(folder, "..known"), new Map([[name, []]]))).rejects.toMatchObject({
      code: "projection/known",
    })
    expect((await readdir(elsewhere)).sort()).toEqual(before)
  })
})
