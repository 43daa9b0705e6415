import { runGit } from "../process/run-git.ts"

/** As many ancestors as are listed of a commit, newest first: what a burst of merges asks about. */
const MOST_LISTED = 4000
/** As many commits as lists are kept of. */
const MOST_KEPT = 4

/**
 * Lists the newest ancestors of commits, so that asking a thousand times whether one of them contains something
 * starts one process and not a thousand. Says yes or "not listed", never no.
 */
export class RecentAncestors {
  readonly #gitDir: string
  readonly #lists = new Map<string, Promise<ReadonlySet<string>>>()
  /** A commit that is asked about once alone is not worth a list. */
  #askedLast: string | undefined

  constructor(gitDir: string) {
    this.#gitDir = gitDir
  }

  /** True: `ancestor` is `commit` or one of its ancestors. Both are full ids that the repository has. */
  async lists(commit: string, ancestor: string): Promise<boolean> {
    if (commit === ancestor) return true
    const again = this.#askedLast === commit
    this.#askedLast = commit
    const known = this.#lists.get(commit) ?? (again ? this.#list(commit) : undefined)
    // What keeps git from listing keeps it from answering, too, and that says why.
    const listed = await known?.catch(() => undefined)
    return listed?.has(ancestor) ?? false
  }

  #list(commit: string): Promise<ReadonlySet<string>> {
    const listed = this.#read(commit)
    this.#lists.set(commit, listed)
    listed.catch(() => this.#lists.delete(commit))
    const [oldest] = this.#lists.keys()
    if (this.#lists.size > MOST_KEPT && oldest !== undefined) this.#lists.delete(oldest)
    return listed
  }

  // Without any caller's signal: the list is shared.
  async #read(commit: string): Promise<ReadonlySet<string>> {
    const args = ["rev-list", `--max-count=${MOST_LISTED}`, commit, "--"]
    const { stdout } = await runGit({ gitDir: this.#gitDir, args })
    return new Set(stdout.toString("latin1").split("\n").filter(Boolean))
  }
}
