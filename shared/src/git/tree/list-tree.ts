import { hasCode } from "../../foundation/errors.ts"
import { runGit } from "../process/run-git.ts"
import { admitEntries, checkCount, type ObjectSource, tooManyFiles } from "./admit-entries.ts"
import { parseListing } from "./parse-entries.ts"
import type { RawTree } from "./raw-tree.ts"

/** Bytes of a line of the listing: mode, id, size and a path of usual length. */
const LINE_BYTES = 400

/**
 * All entries of a commit. Throws `git/too-many-files` for one with more than `source.mostFiles`, without listing the rest:
 * a tree that names itself over and over has no end. Throws `git/…`.
 */
export async function listTree(gitDir: string, commit: string, source: ObjectSource): Promise<RawTree> {
  const args = ["ls-tree", "-r", "-l", "-z", "--full-tree", commit]
  const { mostFiles } = source
  const bound = mostFiles === undefined ? {} : { mostOutput: mostFiles * LINE_BYTES }
  const { stdout } = await runGit({ gitDir, args, ...bound }).catch((error: unknown) => {
    throw hasCode(error, "git/too-much-output") ? tooManyFiles(commit, mostFiles) : error
  })
  const parsed = parseListing(stdout)
  checkCount(commit, parsed.entries.length, mostFiles)
  return admitEntries(parsed, source)
}
