import { runGit } from "../process/run-git.ts"

const FIELD = "\0"
const MOST_FOUND = 20

/**
 * The newest commit on the first-parent line of `tip` that merged a pull request, by the subject that GitHub and
 * Prow's tide give such a commit: `Merge pull request #12 from …`, or a title that ends in ` (#12)` when it was
 * squashed. Undefined when there is none: not merged, or rebased, which leaves no trace. Throws `git/…`.
 */
export async function mergeCommit(
  gitDir: string,
  tip: string,
  pullRequest: number,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const args = ["log", "--first-parent", "--extended-regexp", `--grep=#${pullRequest}([^0-9]|$)`]
  const format = ["--format=%H%x00%s", "-n", String(MOST_FOUND), "--end-of-options", tip]
  const { stdout } = await runGit({ gitDir, args: [...args, ...format], signal })
  const subject = new RegExp(`^Merge pull request #${pullRequest} from |\\(#${pullRequest}\\)$`)
  const found = stdout
    .toString("utf8")
    .split("\n")
    .map((line) => line.split(FIELD))
    .find(([, text = ""]) => subject.test(text))
  return found?.[0]
}
