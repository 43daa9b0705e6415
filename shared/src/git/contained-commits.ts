import pLimit from "p-limit"
import type { SourceRepository } from "./source-repository.ts"

/** Questions to git at a time. */
const AT_ONCE = 4

/** Those of `shas` that are `commit` or its ancestors; a commit that the mirror does not have is not. */
export async function containedCommits(
  repository: Pick<SourceRepository, "contains">,
  commit: string,
  shas: readonly string[],
): Promise<ReadonlySet<string>> {
  const limit = pLimit(AT_ONCE)
  const answers = shas.map((sha) =>
    limit(async () => (sha === commit || (await repository.contains(commit, sha)) ? [sha] : [])),
  )
  return new Set((await Promise.all(answers)).flat())
}
