import { hasCode } from "../../foundation/errors.ts"
import { runGit } from "../process/run-git.ts"
import { admitEntries, checkCount, type ObjectSource, tooManyFiles } from "./admit-entries.ts"
import { parseListing } from "./parse-entries.ts"
import type { RawTree } from "./raw-tree.ts"

/** Bytes of a line of the listing on average: mode, id, size and a path of usual length. */
const LINE_BYTES = 400

/**
 * All entries of a commit. Throws `git/too-many-files` for one with more than `source.mostFiles`, without listing the rest:
 * a tree can name another over and over, and stand for more files than there are atoms. Throws `git/…`.
 */
export async function listTree(gitDir: string, commit: string, source: ObjectSource): Promise<RawTree> {
  const args = ["ls-tree", "-r", "-l", "-z", "--full-tree", commit]
  const { mostFiles } = source
  const mostOutput = mostFiles === undefined ? undefined : mostFiles * LINE_BYTES
  const { stdout } = await runGit({ gitDir, args, mostOutput }).catch((error: unknown) => {
    if (!hasCode(error, "git/too-much-output")) throw error
    throw tooManyFiles(commit, `${mostFiles} files, or ${mostOutput} bytes of their names`)
  })
  const parsed = parseListing(stdout)
  checkCount(commit, parsed.entries.length, mostFiles)
  return admitEntries(parsed, source)
}
