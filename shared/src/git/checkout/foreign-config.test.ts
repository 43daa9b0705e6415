import { execFileSync } from "node:child_process"
import { chown, lchown, mkdir, readdir, rm, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { programsThatRan, setForeignConfig } from "@headrace/test/harness/foreign-config"
import { type TestRepo, withRepo } from "@headrace/test/harness/with-repo"
import { describe, expect, it } from "vitest"
import { createLog } from "../../observe/log.ts"
import { openCheckout } from "../open-checkout.ts"
import { openMirror } from "../open-mirror.ts"
import { readFolderTree } from "../read-folder-tree.ts"

const SOMEBODY = 54_321
const log = createLog("test", { level: "silent" })

/** A checkout with a submodule, filtered files and local changes, whose configuration names programs. */
async function withForeignCheckout(
  fn: (repo: TestRepo, ran: () => Promise<string[]>) => Promise<void>,
): Promise<void> {
  await withRepo(async (repo) => {
    const marks = join(repo.scratch, "marks")
    await repo.commit({
      ".gitattributes": "*.secret filter=evil diff=evil merge=evil\n",
      "a.secret": "stored",
      "b.txt": "plain",
    })
    const inner = join(repo.folder, "sub")
    await repo.git("init", "--quiet", inner)
    await writeFile(join(inner, ".gitattributes"), "* filter=evil\n")
    await writeFile(join(inner, "f"), "f")
    await repo.git("-C", inner, "add", ".")
    await repo.git("-C", inner, "commit", "--quiet", "--message", "inner")
    await repo.git("add", "sub")
    await repo.git("commit", "--quiet", "--message", "submodule")
    await writeFile(join(inner, "f"), "changed")
    for (const gitDir of [join(repo.folder, ".git"), join(inner, ".git")])
      await setForeignConfig(gitDir, marks)
    if (process.getuid?.() === 0) await giveAway(repo.folder)
    await fn(repo, () => programsThatRan(marks))
  })
}

async function giveAway(folder: string): Promise<void> {
  await chown(folder, SOMEBODY, SOMEBODY)
  for (const name of await readdir(folder, { recursive: true }))
    await lchown(join(folder, name), SOMEBODY, SOMEBODY)
}

describe("a checkout of another user, whose configuration names programs", () => {
  it("runs none of them when its folder is read, and says which file it cannot know", () =>
    withForeignCheckout(async (repo, ran) => {
      await writeFile(join(repo.folder, "a.secret"), "changed")
      await writeFile(join(repo.folder, "b.txt"), "changed")
      await writeFile(join(repo.folder, "new.secret"), "new")
      await mkdir(join(repo.folder, "d"))
      const files = await readFolderTree([repo.folder])
      expect(files.tree.files.map(({ path }) => path)).toEqual([".gitattributes", "b.txt"])
      expect(files.tree.problems.map(({ code, file }) => [file, code]).sort()).toEqual([
        ["a.secret", "git/filtered"],
        ["new.secret", "git/filtered"],
        ["sub", "git/submodule"],
      ])
      const [, changed] = files.tree.files
      expect(changed && String(await files.read(changed))).toBe("changed")
      await files.close()
      expect(await ran()).toEqual([])
    }))

  it("runs none of them when it is a source at its HEAD", () =>
    withForeignCheckout(async (repo, ran) => {
      const checkout = await openCheckout(repo.folder)
      const { commit } = await checkout.fetch()
      expect(String(await checkout.file(commit, "a.secret"))).toBe("stored")
      // Git looks at the content of a file that has another time only.
      await writeFile(join(repo.folder, "b.txt"), "other")
      await writeFile(join(repo.folder, "a.secret"), "other!")
      await expect(checkout.fetch()).rejects.toMatchObject({ code: "git/dirty" })
      await checkout.close()
      expect(await ran()).toEqual([])
    }))

  it("runs none of them when a mirror follows it, and needs no safe.directory", () =>
    withForeignCheckout(async (repo, ran) => {
      const folder = join(repo.scratch, "mirrors")
      const mirror = await openMirror({ name: "m", url: repo.folder, branch: "main", folder, log })
      const { commit } = await mirror.fetch()
      expect(String(await mirror.file(commit, "b.txt"))).toBe("plain")
      await mirror.close()
      expect(await ran()).toEqual([])
    }))

  it.each(["HEAD", "index", "packed-refs", "info/attributes", "info/exclude"])(
    "does not wait for a pipe that it has in place of %s",
    (name) =>
      withRepo(async (repo) => {
        await repo.commit({ a: "1" })
        const place = join(repo.folder, ".git", name)
        await mkdir(dirname(place), { recursive: true })
        await rm(place, { force: true })
        execFileSync("mkfifo", [place])
        const files = await readFolderTree([repo.folder])
        expect(files.tree.files.map(({ path }) => path)).toEqual(["a"])
        await files.close()
      }),
  )
})
