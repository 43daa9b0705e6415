import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { describe, expect, it } from "vitest"
import { readFolderTree } from "./read-folder-tree.ts"

async function withFolder(fn: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "headrace-folder-"))
  try {
    await fn(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function put(folder: string, path: string, content: string | Buffer): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true })
  await writeFile(join(folder, path), content)
}

describe("readFolderTree", () => {
  it("lists files in path order with size and executable bit, and reads them", () =>
    withFolder(async (folder) => {
      await put(folder, "b.yaml", "b")
      await put(folder, "a/run.sh", "#!/bin/sh\n")
      await chmod(join(folder, "a/run.sh"), 0o755)
      await put(folder, "a-b", Buffer.from([0, 255]))

      const { tree, read } = await readFolderTree([folder])

      expect(tree.files.map(({ path, size, executable }) => [path, size, executable])).toEqual([
        ["a-b", 2, false],
        ["a/run.sh", 10, true],
        ["b.yaml", 1, false],
      ])
      const contents = await Promise.all(tree.files.map(read))
      expect(contents.map((content) => content.toString("hex"))).toEqual([
        "00ff",
        Buffer.from("#!/bin/sh\n").toString("hex"),
        "62",
      ])
    }))

  it("takes a file from the first folder that has it", () =>
    withFolder(async (folder) => {
      await put(folder, "one/same", "first")
      await put(folder, "two/same", "second")
      await put(folder, "two/other", "other")

      const { tree, read } = await readFolderTree([join(folder, "one"), join(folder, "two")])

      const contents = await Promise.all(
        tree.files.map(async (file) => [file.path, String(await read(file))]),
      )
      expect(contents).toEqual([
        ["other", "other"],
        ["same", "first"],
      ])
    }))

  it("follows a source path that is itself a symbolic link, and resolves links beneath it", () =>
    withFolder(async (folder) => {
      await put(folder, "rev-1/config/a", "a")
      await symlink("config/a", join(folder, "rev-1/link"))
      await symlink("../../outside", join(folder, "rev-1/config/out"))
      await put(folder, "outside", "secret")
      await symlink("rev-1", join(folder, "current"))

      const { tree, read } = await readFolderTree([join(folder, "current")])

      expect(tree.files.map((file) => file.path)).toEqual(["config/a", "link"])
      expect(tree.problems.map((problem) => [problem.file, problem.code])).toEqual([
        ["config/out", "git/link-outside"],
      ])
      const link = tree.files.find((file) => file.path === "link")
      expect(link && String(await read(link))).toBe("a")
    }))

  it("leaves out .git, and warns of submodules, LFS pointers and names that are not text", () =>
    withFolder(async (folder) => {
      await put(folder, ".git/config", "x")
      await put(folder, "sub/.git", "gitdir: ../.git/modules/sub")
      await put(folder, "sub/file", "x")
      await put(
        folder,
        "large.bin",
        `version https://git-lfs.github.com/spec/v1\noid sha256:${"0".repeat(64)}\nsize 12345\n`,
      )
      await writeFile(Buffer.concat([Buffer.from(`${folder}/caf`), Buffer.from([0xe9])]), "x")
      await put(folder, "kept", "x")

      const { tree } = await readFolderTree([folder])

      expect(tree.files.map((file) => file.path)).toEqual(["kept"])
      expect(tree.problems.map((problem) => problem.code).sort()).toEqual([
        "git/bad-path",
        "git/lfs-pointer",
        "git/submodule",
      ])
    }))

  it("refuses to give a file that changed since the tree was read", () =>
    withFolder(async (folder) => {
      await put(folder, "a", "before")
      const { tree, read } = await readFolderTree([folder])
      await put(folder, "a", "after!")

      const [file] = tree.files
      await expect(file && read(file)).rejects.toMatchObject({ code: "git/file-changed" })
    }))

  it("names a source path that is missing or a file", () =>
    withFolder(async (folder) => {
      await put(folder, "file", "x")
      for (const path of ["nowhere", "file"]) {
        await expect(readFolderTree([join(folder, path)])).rejects.toMatchObject({
          code: "git/folder-missing",
          message: expect.stringContaining(path),
        })
      }
    }))
})
