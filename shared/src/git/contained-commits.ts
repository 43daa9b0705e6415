import { runGit } from "./process/run-git.ts"

/** As many ids as fit on one command line: some 80 kB of the 128 that any system takes. */
const AT_ONCE = 2000
const FULL_ID = /^[0-9a-f]{40}$/

/**
 * Those of `shas` that are `commit` or its ancestors, in the repository at `gitDir`; a commit that it does not
 * have is not. Two git processes for up to 2,000: a burst of merges asks about as many, most of them newer than
 * the commit that was just written. Throws `git/…`.
 */
export async function containedCommits(
  gitDir: string,
  commit: string,
  shas: readonly string[],
  signal?: AbortSignal,
): Promise<ReadonlySet<string>> {
  const asked = shas.filter((sha) => FULL_ID.test(sha))
  const contained = new Set<string>()
  for (let from = 0; from < asked.length; from += AT_ONCE) {
    const some = asked.slice(from, from + AT_ONCE)
    const known = await list(gitDir, ["--no-walk", ...some], signal)
    const beyond = await list(gitDir, [...known, `^${commit}`], signal)
    for (const sha of known) if (!beyond.has(sha)) contained.add(sha)
  }
  return contained
}

/** git-rev-list(1); ids that are not in the repository are left out. */
async function list(gitDir: string, args: readonly string[], signal?: AbortSignal): Promise<Set<string>> {
  const all = ["rev-list", "--ignore-missing", ...args, "--"]
  const { stdout } = await runGit({ gitDir, args: all, signal })
  return new Set(stdout.toString("latin1").split("\n").filter(Boolean))
}
