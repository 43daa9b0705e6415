import { type TestRepo, withRepo } from "@headrace/test/harness/with-repo"
import { expect, it } from "vitest"
import { mergeCommit } from "./merge-commit.ts"

async function mergesOf(repo: TestRepo, pullRequest: number): Promise<string | undefined> {
  return mergeCommit(`${repo.folder}/.git`, await repo.tip(), pullRequest)
}

it("finds merges and squashes by GitHub's subjects, and takes no mention for one", async () => {
  await withRepo(async (repo) => {
    const merge = await repo.commit({ a: "1" }, "Merge pull request #12 from org/topic\n\nAdd a")
    const squash = await repo.commit({ a: "2" }, "Add b (#123)")
    await repo.commit({ a: "3" }, "Go on with #12 (see #12)\n\nMerge pull request #12 from nobody")
    const reverted = await repo.commit({ a: "4" }, 'Revert "Add b (#123)" (#124)')
    expect(await mergesOf(repo, 12)).toBe(merge)
    expect(await mergesOf(repo, 123)).toBe(squash)
    expect(await mergesOf(repo, 124)).toBe(reverted)
    expect(await mergesOf(repo, 1)).toBeUndefined()
    expect(await mergesOf(repo, 23)).toBeUndefined()
  })
})

it("takes the newest of several, and none of a branch that is not merged", async () => {
  await withRepo(async (repo) => {
    await repo.commit({ a: "1" }, "First try (#7)")
    const again = await repo.commit({ a: "2" }, "Second try (#7)")
    await repo.git("checkout", "-q", "-b", "topic")
    await repo.commit({ a: "3" }, "Third try (#7)")
    await repo.git("checkout", "-q", "main")
    expect(await mergesOf(repo, 7)).toBe(again)
  })
})
