import { hasCode } from "../../foundation/errors.ts"
import { runGit } from "../process/run-git.ts"
import { admitEntries, type ObjectSource } from "./admit-entries.ts"
import { parseTreeChanges } from "./parse-entries.ts"
import type { RawTree } from "./raw-tree.ts"

/** Beyond this much difference (about 10,000 paths), listing the whole tree is as cheap. */
const MOST_OUTPUT = 2 * 1024 * 1024
const DELETED = "000000"

/**
 * A commit's tree from a neighbour's, by what differs between them: a few milliseconds for one change among
 * any number of files. Undefined when listing is the better way: too many differences, or paths that are not UTF-8.
 */
export async function deriveTree(
  gitDir: string,
  neighbour: { commit: string; raw: RawTree },
  commit: string,
  source: ObjectSource,
): Promise<RawTree | undefined> {
  const args = ["diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", neighbour.commit, commit]
  const answer = await runGit({ gitDir, args, mostOutput: MOST_OUTPUT }).catch((error: unknown) => {
    if (hasCode(error, "git/too-much-output")) return undefined
    throw error
  })
  if (answer === undefined) return undefined
  const { entries, unreadable } = parseTreeChanges(answer.stdout)
  if (unreadable.size > 0) return undefined
  const present = entries.filter((entry) => entry.mode !== DELETED)
  const added = await admitEntries({ entries: present, unreadable }, source)
  const changed = new Set(entries.map((entry) => entry.path))
  return {
    files: merge(neighbour.raw.files, added.files, changed, (file) => file.path),
    links: merge(neighbour.raw.links, added.links, changed, (link) => link.path),
    problems: merge(neighbour.raw.problems, added.problems, changed, (problem) => problem.file),
  }
}

/** `old` without the `changed` paths, and `added`, in path order as both are. */
function merge<T>(
  old: readonly T[],
  added: readonly T[],
  changed: ReadonlySet<string>,
  pathOf: (item: T) => string,
): T[] {
  const merged: T[] = []
  let next = 0
  for (const item of old) {
    const path = pathOf(item)
    for (let other = added[next]; other !== undefined && pathOf(other) <= path; other = added[++next]) {
      merged.push(other)
    }
    if (!changed.has(path)) merged.push(item)
  }
  merged.push(...added.slice(next))
  return merged
}
