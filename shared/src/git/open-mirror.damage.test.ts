import { chmod, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { mirrorContents, withMirror } from "../../../test/harness/with-mirror.ts"
import { type TestRepo, withRepo } from "../../../test/harness/with-repo.ts"
import { createLog } from "../observe/log.ts"
import { openMirror } from "./open-mirror.ts"

const log = createLog("test", { level: "silent" })

describe("a damaged mirror", () => {
  const damages: [string, (place: string) => Promise<void>][] = [
    ["a truncated pack", async (place) => truncate(await onePack(place), 100)],
    ["a pack without its index", async (place) => rm((await onePack(place)).replace(/pack$/, "idx"))],
    [
      "what a killed fetch left",
      (place) => writeFile(join(place, "objects/pack/tmp_pack_x"), Buffer.alloc(1000)),
    ],
    ["no HEAD", (place) => rm(join(place, "HEAD"))],
    ["leftover locks", (place) => writeFile(join(place, "refs/headrace/tip.lock"), "")],
    ["a half-written config", (place) => writeFile(join(place, "headrace.json"), '{"for')],
    ["a ref of nothing", (place) => writeFile(join(place, "refs/headrace/tip"), `${"1".repeat(40)}\n`)],
    ["no objects", (place) => rm(join(place, "objects"), { recursive: true })],
  ]

  it.each(damages)("with %s is whole again after it is opened", (_, damage) =>
    withMirror(async (mirror, repo, folder) => {
      await fillPack(repo)
      const before = await mirror.fetch()
      await mirror.close()
      await damage(join(folder, "m.git"))
      const again = await openMirror({ name: "m", url: repo.folder, branch: "main", folder, log })
      try {
        expect(await again.fetch()).toEqual(before)
        expect(Object.keys(await mirrorContents(again, before.commit))).toHaveLength(150)
        expect(await readdir(folder)).toEqual(["m.git", "m.git.owner"])
      } finally {
        await again.close()
      }
    }),
  )

  it("whose bytes rot while it is open is fetched anew by the read that finds out", () =>
    withMirror(async (mirror, repo, folder) => {
      await fillPack(repo)
      const { commit } = await mirror.fetch()
      const pack = await onePack(join(folder, "m.git"))
      const bytes = await readFile(pack)
      await chmod(pack, 0o644)
      await writeFile(
        pack,
        Buffer.concat([bytes.subarray(0, 12), Buffer.alloc(bytes.length - 32, 0xff), bytes.subarray(-20)]),
      )
      expect(Object.keys(await mirrorContents(mirror, commit))).toHaveLength(150)
    }))

  it("that a killed git left locked while it is open is unlocked, not fetched anew", () =>
    withMirror(async (mirror, repo, folder) => {
      await mirror.fetch()
      const { ino } = await stat(join(folder, "m.git"))
      const commit = await repo.commit({ a: "1" })
      await writeFile(join(folder, "m.git/refs/headrace/tip.lock"), "")
      expect((await mirror.fetch()).commit).toBe(commit)
      expect((await stat(join(folder, "m.git"))).ino).toBe(ino)
    }))

  it("that cannot be mended is not fetched anew at every call", () =>
    withMirror(async (mirror, repo, folder) => {
      const { commit } = await mirror.fetch()
      const tip = join(folder, "m.git/refs/headrace/tip")
      const breakRef = () => writeFile(tip, `${"1".repeat(40)}\n`)
      await breakRef()
      expect((await mirror.fetch()).commit).toBe(commit)
      const { ino } = await stat(join(folder, "m.git"))
      await breakRef()
      await repo.commit({ a: "1" })
      await expect(mirror.fetch()).rejects.toMatchObject({ code: "git/damaged" })
      expect((await stat(join(folder, "m.git"))).ino).toBe(ino)
    }))

  it("of another remote is replaced", () =>
    withMirror(async (mirror, repo, folder) => {
      await repo.commit({ a: "first" })
      await mirror.fetch()
      await mirror.close()
      await withRepo(async (other) => {
        const commit = await other.commit({ b: "second" })
        const again = await openMirror({ name: "m", url: other.folder, branch: "main", folder, log })
        expect((await again.fetch()).commit).toBe(commit)
        expect(await again.seqOf(await repo.tip())).toBeUndefined()
        await again.close()
      })
    }))
})

/** More than 100 objects, which git keeps as a pack. */
async function fillPack(repo: TestRepo): Promise<void> {
  await repo.commit(
    Object.fromEntries(Array.from({ length: 150 }, (_, index) => [`f${index}`, `content ${index}`])),
  )
}

async function onePack(place: string): Promise<string> {
  const folder = join(place, "objects/pack")
  const name = (await readdir(folder)).find((each) => each.endsWith(".pack"))
  if (name === undefined) throw new Error("the mirror has no pack to damage")
  await chmod(join(folder, name), 0o644)
  return join(folder, name)
}
