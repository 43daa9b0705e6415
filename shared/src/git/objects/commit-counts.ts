import { runGit } from "../process/run-git.ts"

/** As many counts as are kept: numbers, so many. */
const MOST_COUNTS = 10_000

/**
 * Counts the ancestors of commits, themselves included: `git rev-list --count`. The count of a commit never
 * changes, so each is kept; a new one is worked out from the last, by what each has that the other has
 * not (|B| = |A| - |A without B| + |B without A|), which costs what changed and not the whole history.
 */
export class CommitCounts {
  readonly #gitDir: string
  readonly #counts = new Map<string, number>()
  #last: string | undefined

  constructor(gitDir: string) {
    this.#gitDir = gitDir
  }

  /** `commit` is a full id that the mirror has. Throws `git/…`. */
  async count(commit: string, signal?: AbortSignal): Promise<number> {
    const known = this.#counts.get(commit)
    if (known !== undefined) return known
    const count = (await this.#fromLast(commit, signal)) ?? (await this.#whole(commit, signal))
    if (this.#counts.size >= MOST_COUNTS) this.#counts.clear()
    this.#counts.set(commit, count)
    this.#last = commit
    return count
  }

  async #fromLast(commit: string, signal?: AbortSignal): Promise<number | undefined> {
    const base = this.#last
    const counted = base === undefined ? undefined : this.#counts.get(base)
    if (counted === undefined) return undefined
    const args = ["rev-list", "--count", "--left-right", `${base}...${commit}`, "--"]
    // 128: the base is gone from the mirror.
    const answer = await runGit({ gitDir: this.#gitDir, args, signal, answers: [128] })
    const match = /^(\d+)\t(\d+)/.exec(answer.stdout.toString("latin1"))
    return answer.code === 0 && match ? counted - Number(match[1]) + Number(match[2]) : undefined
  }

  async #whole(commit: string, signal?: AbortSignal): Promise<number> {
    const args = ["rev-list", "--count", commit, "--"]
    const { stdout } = await runGit({ gitDir: this.#gitDir, args, signal })
    return Number.parseInt(stdout.toString("latin1"), 10)
  }
}
