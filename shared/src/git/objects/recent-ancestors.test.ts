import { expect, it } from "vitest"
import { withRepo } from "../../../../test/harness/with-repo.ts"
import { RecentAncestors } from "./recent-ancestors.ts"

it("lists ancestors along every parent, once asked twice, and nothing else", () =>
  withRepo(async (repo) => {
    const before = await repo.tip()
    const merge = await repo.merge({ a: "1" })
    const branch = await repo.git("rev-parse", `${merge}^2`)
    const later = await repo.commit({ b: "1" })
    const ancestors = new RecentAncestors(`${repo.folder}/.git`)

    expect(await ancestors.lists(merge, merge)).toBe(true)
    await ancestors.lists(merge, before)
    for (const commit of [before, branch.trim(), merge])
      expect(await ancestors.lists(merge, commit)).toBe(true)
    expect(await ancestors.lists(merge, later)).toBe(false)
    expect(await ancestors.lists(merge, "")).toBe(false)
  }))
