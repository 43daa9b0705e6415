/** What the walk reads of a repository. */
export interface CommitParents {
  /** A commit object as it is stored; undefined: it is not there. */
  commitObject(commit: string, signal?: AbortSignal): Promise<Buffer | undefined>
  /** Those of `ids` that are `commit` or its ancestors. */
  contained(commit: string, ids: readonly string[], signal?: AbortSignal): Promise<ReadonlySet<string>>
}

/** Steps after which it is asked whether the line has passed `since` without meeting it. */
const FIRST_STRETCH = 64

/**
 * `tip` and its first parents, back to the first that `since` contains, which is left out. Where a branch was merged
 * into the one that is followed and took its place (a "foxtrot" merge), `since` is a second parent and not on the line:
 * so what it contains ends the line, too. By the parents that commits name, and not by `git rev-list A..B`, which goes
 * by committer dates (commit-history.ts).
 */
export async function firstParentLine(
  repository: CommitParents,
  tip: string,
  since: string,
  signal?: AbortSignal,
): Promise<string[]> {
  const line: string[] = []
  let stretch = FIRST_STRETCH
  let judged = 0
  let next: string | undefined = tip
  while (next !== undefined && next !== since) {
    line.push(next)
    next = firstParent(await repository.commitObject(next, signal))
    if (line.length - judged < stretch && next !== undefined && next !== since) continue
    const end = next === since ? -1 : await firstContained(repository, since, line, judged, signal)
    if (end >= 0) return line.slice(0, end)
    judged = line.length
    stretch *= 4
  }
  return line
}

/** Where in the line the first commit is that `since` contains; -1: nowhere yet. */
async function firstContained(
  repository: CommitParents,
  since: string,
  line: readonly string[],
  from: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  const contained = await repository.contained(since, line.slice(from), signal)
  return line.findIndex((commit) => contained.has(commit))
}

/** The first parent that a commit object names in its headers; undefined: it has none, or is not there. */
function firstParent(content: Buffer | undefined): string | undefined {
  const text = content?.toString("latin1") ?? ""
  const end = text.indexOf("\n\n")
  return /^parent ([0-9a-f]+)$/m.exec(end < 0 ? text : text.slice(0, end))?.[1]
}
