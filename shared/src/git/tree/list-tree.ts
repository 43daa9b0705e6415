import { runGit } from "../process/run-git.ts"
import { admitEntries, type ObjectSource } from "./admit-entries.ts"
import { parseListing } from "./parse-entries.ts"
import type { RawTree } from "./raw-tree.ts"

/** All entries of a commit. Throws `git/…`. */
export async function listTree(gitDir: string, commit: string, source: ObjectSource): Promise<RawTree> {
  const { stdout } = await runGit({ gitDir, args: ["ls-tree", "-r", "-l", "-z", "--full-tree", commit] })
  return admitEntries(parseListing(stdout), source)
}
