import { rm, utimes, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { type TestRepo, withRepo } from "@headrace/test/harness/with-repo"
import { describe, expect, it } from "vitest"
import { openCheckout } from "../open-checkout.ts"
import { readFolderTree } from "../read-folder-tree.ts"

/** Path to content, as a folder shows it. */
async function shown(folder: string): Promise<Record<string, string>> {
  const { tree, read, close } = await readFolderTree([folder])
  const files = await Promise.all(
    tree.files.map(async (file) => [file.path, String(await read(file))] as const),
  )
  await close()
  return Object.fromEntries(files)
}

/** Runs `fn` as a user who has this configuration. */
async function asUserWith<T>(repo: TestRepo, config: string, fn: () => Promise<T>): Promise<T> {
  const place = join(repo.scratch, "gitconfig")
  await writeFile(place, config)
  const before = process.env.GIT_CONFIG_GLOBAL
  process.env.GIT_CONFIG_GLOBAL = place
  try {
    return await fn()
  } finally {
    if (before === undefined) delete process.env.GIT_CONFIG_GLOBAL
    else process.env.GIT_CONFIG_GLOBAL = before
  }
}

describe("a checkout of a user with a configuration of git", () => {
  it("shows what that user's git would store, and is clean where that git calls it clean", () =>
    withRepo(async (repo) => {
      await repo.commit({ a: "1\n2\n" })
      // As a clone with core.autocrlf has it, copied since: the times of the index say nothing.
      await rm(join(repo.folder, "a"))
      await repo.git("-c", "core.autocrlf=true", "checkout", "--quiet", "a")
      await utimes(join(repo.folder, "a"), 1, 1)
      await asUserWith(repo, "[core]\n\tautocrlf = true\n", async () => {
        const checkout = await openCheckout(repo.folder)
        await checkout.fetch()
        await checkout.close()
        await writeFile(join(repo.folder, "new"), "n\r\n")
        expect(await shown(repo.folder)).toEqual({ a: "1\n2\n", new: "n\n" })
        await repo.git("config", "core.autocrlf", "false")
        expect(await shown(repo.folder)).toEqual({ a: "1\r\n2\r\n", new: "n\r\n" })
      })
    }))

  it("takes the user's ignored files and attributes, and none that the checkout's owner names", () =>
    withRepo(async (repo) => {
      const named = async (name: string, content: string) => {
        await writeFile(join(repo.scratch, name), content)
        return join(repo.scratch, name)
      }
      await writeFile(join(repo.folder, "a.txt"), "1\r\n")
      await writeFile(join(repo.folder, "a.swp"), "junk")
      const [ignored, attributes] = [
        await named("ignored", "*.swp\n"),
        await named("attributes", "*.txt text\n"),
      ]
      const config = `[core]\n\texcludesFile = ${ignored}\n\tattributesFile = ${attributes}\n`
      expect(await asUserWith(repo, config, () => shown(repo.folder))).toEqual({ "a.txt": "1\n" })
      await repo.git("config", "core.excludesFile", ignored)
      await repo.git("config", "core.attributesFile", attributes)
      expect(await shown(repo.folder)).toEqual({ "a.txt": "1\r\n", "a.swp": "junk" })
    }))
})

it("reads what a work tree has for itself", () =>
  withRepo(async (repo) => {
    await repo.commit({ a: "1\n" })
    const linked = join(repo.scratch, "linked")
    await repo.git("worktree", "add", "--quiet", "-b", "other", linked)
    await repo.git("config", "extensions.worktreeConfig", "true")
    await repo.git("-C", linked, "config", "--worktree", "core.autocrlf", "input")
    for (const folder of [linked, repo.folder]) await writeFile(join(folder, "a"), "2\r\n")
    expect([await shown(linked), await shown(repo.folder)]).toEqual([{ a: "2\n" }, { a: "2\r\n" }])
  }))

it("sees a change outside of what a sparse checkout has", () =>
  withRepo(async (repo) => {
    await repo.commit({ "in/a": "1", "out.txt": "1", "out/b": "1" })
    await repo.git("sparse-checkout", "set", "--no-cone", "/in")
    await writeFile(join(repo.folder, "out.txt"), "changed")
    expect(await shown(repo.folder)).toEqual({ "in/a": "1", "out.txt": "changed", "out/b": "1" })
  }))

it("reads a repository with an extension that this git does not know", () =>
  withRepo(async (repo) => {
    await repo.commit({ a: "1\n" })
    await repo.git("config", "core.autocrlf", "input")
    await repo.git("config", "core.repositoryFormatVersion", "1")
    await repo.git("config", "extensions.ofTomorrow", "true")
    await writeFile(join(repo.folder, "a"), "2\r\n")
    expect(await shown(repo.folder)).toEqual({ a: "2\n" })
  }))
