import { execFileSync } from "node:child_process"
import { cp, mkdir, rm, symlink, utimes, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { type TestRepo, testGitEnvironment, withRepo } from "@headrace/test/harness/with-repo"
import { describe, expect, it } from "vitest"
import { openCheckout } from "../open-checkout.ts"
import { readFolderTree } from "../read-folder-tree.ts"

const POINTER = `version https://git-lfs.github.com/spec/v1\noid sha256:${"ab".repeat(32)}\nsize 1234\n`
const ATTRIBUTES = `*.crlf text eol=crlf
*.id ident
*.wide working-tree-encoding=UTF-16LE
*.big filter=lfs diff=lfs merge=lfs -text
`

/** Path to content, and path to the code of its problem, as folders show them. */
async function shown(...folders: string[]): Promise<{ files: Record<string, string>; problems: unknown }> {
  const all = await readFolderTree(folders)
  try {
    const files = await Promise.all(
      all.tree.files.map(async (file) => [file.path, String(await all.read(file))] as const),
    )
    const problems = all.tree.problems.map(({ file, code, message }) => ({ file, code, message }))
    return { files: Object.fromEntries(files), problems }
  } finally {
    await all.close()
  }
}

/** The same of what a commit gives, as the plugin reads it. */
async function committed(repo: TestRepo): Promise<{ files: Record<string, string>; problems: unknown }> {
  const checkout = await openCheckout(repo.folder)
  try {
    const commit = await repo.git("rev-parse", "HEAD")
    const tree = await checkout.tree(commit)
    const blobs = await checkout.blobs(tree.files.map(({ oid }) => oid))
    return {
      files: Object.fromEntries(tree.files.map(({ path }, index) => [path, String(blobs[index])])),
      problems: tree.problems.map(({ file, code, message }) => ({ file, code, message })),
    }
  } finally {
    await checkout.close()
  }
}

/** Writes files again, as a fresh clone has them: converted by their attributes. */
async function checkOutAgain(repo: TestRepo): Promise<void> {
  await repo.git("rm", "--quiet", "--cached", "-r", ".")
  await repo.git("reset", "--quiet", "--hard")
}

async function withAttributes(fn: (repo: TestRepo) => Promise<void>): Promise<void> {
  await withRepo(async (repo) => {
    await repo.commit({
      ".gitattributes": ATTRIBUTES,
      "a.crlf": "1\n2\n",
      "b.id": "$Id$\n",
      "c.big": POINTER,
      d: "d\n",
    })
    await writeFile(join(repo.folder, "e.wide"), Buffer.from("w\u00e9\n", "utf16le"))
    await repo.commit({})
    await checkOutAgain(repo)
    await fn(repo)
  })
}

describe("a checkout's folder", () => {
  it("shows the bytes that git has of a file, where attributes put others on the disk", () =>
    withAttributes(async (repo) => {
      const found = await shown(repo.folder)
      expect(found).toEqual(await committed(repo))
      expect(found.files).toEqual({
        ".gitattributes": ATTRIBUTES,
        "a.crlf": "1\n2\n",
        "b.id": "$Id$\n",
        d: "d\n",
        "e.wide": "w\u00e9\n",
      })
      expect(found.problems).toMatchObject([{ file: "c.big", code: "git/lfs-pointer" }])
    }))

  it("says of a file whose content git-lfs has put on the disk what its pointer says", () =>
    withAttributes(async (repo) => {
      const file = join(repo.folder, "c.big")
      await writeFile(join(repo.scratch, "pointer"), POINTER)
      await writeFile(file, "1234 bytes")
      // As git-lfs leaves it: the index has the pointer, and the time of the content.
      await repo.git("-c", `filter.lfs.clean=cat ${join(repo.scratch, "pointer")}`, "add", "c.big")
      expect(await repo.git("diff", "--name-only", "--cached")).toBe("")
      const told = await committed(repo)
      expect(told.problems).toMatchObject([{ file: "c.big", code: "git/lfs-pointer" }])
      expect(await shown(repo.folder)).toEqual(told)
      await utimes(file, 1, 1)
      expect(await shown(repo.folder)).toEqual(told)
    }))

  it("shows of changed and new files what git would store, and says the same as the commit of them", () =>
    withAttributes(async (repo) => {
      await writeFile(join(repo.folder, "a.crlf"), "1\r\n3\r\n")
      await writeFile(join(repo.folder, "b.id"), "$Id: 1234 $\nnew\n")
      await writeFile(join(repo.folder, "e.wide"), Buffer.from("changed \u00e9\n", "utf16le"))
      await writeFile(join(repo.folder, "new.crlf"), "n\r\n")
      await mkdir(join(repo.folder, "f"))
      await writeFile(join(repo.folder, "f/.gitattributes"), "g eol=crlf\n")
      await writeFile(join(repo.folder, "f/g"), "g\r\n")
      await symlink("../d", join(repo.folder, "f/link"))
      await symlink("nowhere", join(repo.folder, "f/dangling"))
      await writeFile(Buffer.concat([Buffer.from(`${repo.folder}/`), Buffer.from([0xe9])]), "x")
      await rm(join(repo.folder, "d"))
      await mkdir(join(repo.folder, "d"))
      await writeFile(join(repo.folder, "d/in-a-folder"), "d")
      await writeFile(join(repo.folder, ".gitignore"), "*.tmp\n")
      await writeFile(join(repo.folder, "left.tmp"), "ignored")
      const before = await shown(repo.folder)
      expect(before.files).toMatchObject({
        "a.crlf": "1\n3\n",
        "b.id": "$Id$\nnew\n",
        "new.crlf": "n\n",
        "f/g": "g\n",
      })
      expect(before.files).toMatchObject({ "e.wide": "changed \u00e9\n", "d/in-a-folder": "d" })
      expect(Object.keys(before.files)).not.toContain("left.tmp")
      await repo.git("add", "--all")
      await repo.git("commit", "--quiet", "--message", "all of it")
      expect(before).toEqual(await committed(repo))
    }))

  it("shows the files that a sparse checkout leaves out, and none that was removed", () =>
    withRepo(async (repo) => {
      await repo.commit({ "in/a": "a", "in/gone": "g", "out/b": "b", top: "t" })
      await repo.git("sparse-checkout", "set", "in")
      await rm(join(repo.folder, "in/gone"))
      expect((await shown(repo.folder)).files).toEqual({ "in/a": "a", "out/b": "b", top: "t" })
      expect((await shown(join(repo.folder, "in"))).files).toEqual({ a: "a" })
    }))

  it("names the files that a sparse, partial clone has not fetched, and shows the others", () =>
    withRepo(async (repo) => {
      await repo.commit({ "in/a": "a", "out/b": "b", "out/link": { link: "b" }, top: "t" })
      await repo.git("config", "uploadpack.allowFilter", "true")
      const clone = join(repo.scratch, "clone")
      await repo.git("clone", "--quiet", "--filter=blob:none", "--sparse", `file://${repo.folder}`, clone)
      await repo.git("-C", clone, "sparse-checkout", "set", "in")
      await writeFile(join(clone, "in/a"), "changed")
      const found = await shown(clone)
      expect(found.files).toEqual({ "in/a": "changed", top: "t" })
      expect(found.problems).toMatchObject([
        { file: "out/b", code: "git/absent" },
        { file: "out/link", code: "git/absent" },
      ])
      expect((await shown(join(clone, "in"))).problems).toEqual([])
      await repo.git("-C", clone, "checkout", "--quiet", "in/a")
      const checkout = await openCheckout(clone)
      const { commit } = await checkout.fetch()
      expect((await checkout.tree(commit)).files.map(({ path }) => path)).toEqual(["in/a", "top"])
      await checkout.close()
    }))

  it("sees that nothing changed in a copy, whose times git does not know", () =>
    withAttributes(async (repo) => {
      const copy = join(repo.scratch, "copy")
      await cp(repo.folder, copy, { recursive: true })
      expect(await shown(copy)).toEqual(await shown(repo.folder))
    }))

  it("sees a change of equal size within the second in which the index was written", () =>
    withRepo(async (repo) => {
      await repo.commit({ a: "one" })
      await writeFile(join(repo.folder, "a"), "two")
      expect((await shown(repo.folder)).files).toEqual({ a: "two" })
    }))

  it("is read through a linked work tree, and from within a folder of it", () =>
    withRepo(async (repo) => {
      await repo.commit({ "config/a": "a", link: { link: "config" } })
      const linked = join(repo.scratch, "linked")
      await repo.git("worktree", "add", "--quiet", "-b", "other", linked)
      await writeFile(join(linked, "config/a"), "changed")
      expect((await shown(join(linked, "config"))).files).toEqual({ a: "changed" })
      expect((await shown(linked)).files).toEqual({ "config/a": "changed", "link/a": "changed" })
      expect((await shown(join(linked, "config"), repo.folder)).files).toEqual({
        a: "changed",
        "config/a": "a",
        "link/a": "a",
      })
    }))

  it("is read as it lies where its repository ignores it", () =>
    withRepo(async (repo) => {
      await repo.commit({ ".gitignore": "build\n" })
      await mkdir(join(repo.folder, "build/out"), { recursive: true })
      await writeFile(join(repo.folder, "build/out/a"), "a\r\n")
      expect((await shown(join(repo.folder, "build/out"))).files).toEqual({ a: "a\r\n" })
    }))

  it("changes nothing in the checkout", () =>
    withAttributes(async (repo) => {
      await writeFile(join(repo.folder, "a.crlf"), "other\r\n")
      const objects = () =>
        execFileSync("find", [join(repo.folder, ".git")], { env: testGitEnvironment }).toString()
      const before = objects()
      await shown(repo.folder)
      expect(objects()).toBe(before)
    }))
})
