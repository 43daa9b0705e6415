import { hasCode } from "../../foundation/errors.ts"
import { editSorted } from "../../foundation/sorted-list.ts"
import { pathOf } from "../links/sorted-paths.ts"
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
  const changed = entries.map((entry) => entry.path)
  return {
    files: editSorted(neighbour.raw.files, pathOf, changed, added.files),
    links: editSorted(neighbour.raw.links, pathOf, changed, added.links),
    problems: editSorted(neighbour.raw.problems, ({ file }) => file, changed, added.problems),
  }
}
