import { expect, it } from "vitest"
import { withRepo } from "../../../test/harness/with-repo.ts"
import { containedCommits } from "./contained-commits.ts"

it("distinguishes a commit's ancestors from newer, foreign and unknown commits", () =>
  withRepo(async (repo) => {
    const start = await repo.tip()
    const merge = await repo.merge({ a: "1" })
    const branch = await repo.git("rev-parse", `${merge}^2`)
    const newer = [await repo.commit({ b: "1" }), await repo.commit({ b: "2" })]
    const foreign = await repo.git("commit-tree", `${start}^{tree}`, "-m", "another root")
    const gitDir = `${repo.folder}/.git`
    const asked = [start, branch, merge, ...newer, foreign, "1".repeat(40), "--all", ""]

    expect([...(await containedCommits(gitDir, merge, asked))].sort()).toEqual([start, branch, merge].sort())
    expect(await containedCommits(gitDir, start, newer)).toEqual(new Set())
    expect(await containedCommits(gitDir, merge, [])).toEqual(new Set())
    expect(await containedCommits(gitDir, "1".repeat(40), [start])).toEqual(new Set())
  }))
