import { mkdtemp, readdir, rm, truncate, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { withRepo } from "@headrace/test/harness/with-repo"
import { expect, it } from "vitest"
import { damagedPack } from "./damaged-pack.ts"

it("finds a pack that is cut anywhere, or that is not its index's", () =>
  withRepo(async (repo) => {
    await repo.commit({ a: "content" })
    await repo.git("gc", "--quiet")
    const folder = join(repo.folder, ".git/objects/pack")
    expect(await damagedPack(folder, "sha1")).toBeUndefined()

    const name = (await readdir(folder)).find((each) => each.endsWith(".pack")) ?? ""
    await rm(join(folder, name.replace(/pack$/, "rev")), { force: true })
    for (const length of [200, 25, 3, 0]) {
      await truncate(join(folder, name), length)
      expect(await damagedPack(folder, "sha1")).toBe(name)
    }
  }))

it("finds a pack without an index, and nothing in a folder that is not there", async () => {
  const folder = await mkdtemp(join(tmpdir(), "headrace-packs-"))
  await writeFile(join(folder, "pack-1.pack"), "PACK")
  expect(await damagedPack(folder, "sha1")).toBe("pack-1.pack")
  await rm(folder, { recursive: true })
  expect(await damagedPack(folder, "sha1")).toBeUndefined()
})
