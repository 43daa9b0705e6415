import { runGit } from "../process/run-git.ts"

/**
 * The newest commit up to `tip` that changed this path; a merge that took it from one side as it was does not count.
 * Undefined: no commit did. Throws `git/…`.
 */
export async function lastChange(
  gitDir: string,
  tip: string,
  path: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  // A path of its own, no pattern: git-log(1), "--literal-pathspecs" of git(1).
  const args = ["--literal-pathspecs", "log", "-n", "1", "--format=%H", "--end-of-options", tip, "--", path]
  const { stdout } = await runGit({ gitDir, args, signal })
  return stdout.toString("latin1").trim() || undefined
}
