import { runGit } from "../process/run-git.ts"
import type { FoundObject } from "./batch-parser.ts"
import { CommitChain } from "./commit-chain.ts"

/** Reads objects by their full ids, in order; undefined: there is no such object. */
export type ReadObjects = (
  ids: readonly string[],
  signal?: AbortSignal,
) => Promise<(FoundObject | undefined)[]>

/** As many counts as are kept of commits that no chain has as a tip. */
const MOST_COUNTS = 10_000
/** A commit further from the last tip than this is listed from scratch, which is as fast. */
const MOST_FRESH = 5_000
/** The followed branch, and what it was before it was rewritten, or a hold off it. */
const MOST_CHAINS = 2

/**
 * Counts the ancestors of commits and knows which contains which, exactly, whatever their dates.
 *
 * Git's own walks between two commits (`A..B`, `A...B`, `^A`) end by committer dates, some commits after they seem to
 * be done (SLOP in git's revision.c): with clocks an hour behind they list too much. So nothing here excludes: the
 * first commit's ancestors are listed whole, which git does exactly, and each later one's are found from there, by
 * the parents that the commits themselves name. That costs what is new and not the whole history. The commit graph,
 * which knows generations, is not used: git believes a damaged one (git-environment.ts).
 */
export class CommitHistory {
  readonly #gitDir: string
  readonly #read: ReadObjects
  /** The one that was used last comes last. */
  #chains: CommitChain[] = []
  readonly #counts = new Map<string, number>()
  #turn: Promise<unknown> = Promise.resolve()

  constructor(gitDir: string, read: ReadObjects) {
    this.#gitDir = gitDir
    this.#read = read
  }

  /** `git rev-list --count`: the ancestors of a commit that the repository has, itself included. Throws `git/…`. */
  async count(commit: string, signal?: AbortSignal): Promise<number> {
    const known = this.#known(commit)
    if (known !== undefined) return known
    // One after the other: the second of two new tips is counted from the first.
    const counted = this.#turn.then(() => this.#known(commit) ?? this.#countNew(commit, signal))
    this.#turn = counted.catch(() => undefined)
    return counted
  }

  /** True when `ancestor` is `commit` or one of its ancestors. The repository has both. Throws `git/…`. */
  async contains(commit: string, ancestor: string, signal?: AbortSignal): Promise<boolean> {
    if (commit === ancestor) return true
    const known = this.#chainOf(commit)?.contains(commit, ancestor)
    if (known !== undefined) return known
    // This walk is exact: it ends when no commit is left that only one side reaches.
    const args = ["merge-base", "--is-ancestor", ancestor, commit]
    const { code } = await runGit({ gitDir: this.#gitDir, args, signal, answers: [1] })
    return code === 0
  }

  /** Those of `ids` that are `commit` or its ancestors, `commit` being one that the repository has. Throws `git/…`. */
  async contained(commit: string, ids: readonly string[], signal?: AbortSignal): Promise<Set<string>> {
    await this.count(commit, signal)
    const chain = this.#chainOf(commit) ?? new CommitChain(commit, await this.#list(commit, signal))
    return new Set(ids.filter((id) => chain.contains(commit, id)))
  }

  #known(commit: string): number | undefined {
    return this.#chainOf(commit)?.countOf(commit) ?? this.#counts.get(commit)
  }

  #chainOf(tip: string): CommitChain | undefined {
    return this.#chains.find((chain) => chain.countOf(tip) !== undefined)
  }

  async #countNew(commit: string, signal: AbortSignal | undefined): Promise<number> {
    signal?.throwIfAborted()
    if (this.#chains.some((chain) => chain.has(commit))) return this.#countOlder(commit, signal)
    const extended = (await this.#extend(commit, signal)) ?? (await this.#begin(commit, signal))
    this.#chains = [...this.#chains.filter((chain) => chain !== extended), extended].slice(-MOST_CHAINS)
    return extended.countOf(commit) ?? this.#countOlder(commit, signal)
  }

  /** The chain that the commit goes on from, with it; undefined: from none, or it is too far. */
  async #extend(commit: string, signal: AbortSignal | undefined): Promise<CommitChain | undefined> {
    for (const chain of [...this.#chains].reverse()) {
      const fresh = await this.#freshSince(chain, commit, signal)
      if (fresh === undefined) continue
      chain.append(commit, fresh)
      return chain
    }
    return undefined
  }

  async #begin(commit: string, signal: AbortSignal | undefined): Promise<CommitChain> {
    return new CommitChain(commit, await this.#list(commit, signal))
  }

  /**
   * The ancestors of `commit` that the chain does not have. Undefined when it does not contain the chain's last tip:
   * every commit between the two is fresh, so the walk along fresh ones reaches that tip where there is a way to it.
   */
  async #freshSince(
    chain: CommitChain,
    commit: string,
    signal: AbortSignal | undefined,
  ): Promise<ReadonlySet<string> | undefined> {
    const fresh = new Set([commit])
    let reachesLast = false
    let frontier = [commit]
    while (frontier.length > 0) {
      const found = await this.#read(frontier, signal)
      // An object that is gone: git itself then says so when it lists.
      if (found.some((object) => object?.type !== "commit") || fresh.size > MOST_FRESH) return undefined
      const parents = new Set(found.flatMap((object) => parentsOf(object?.content)))
      reachesLast ||= parents.has(chain.last)
      frontier = [...parents].filter((parent) => !fresh.has(parent) && !chain.has(parent))
      for (const parent of frontier) fresh.add(parent)
    }
    return reachesLast ? fresh : undefined
  }

  async #countOlder(commit: string, signal: AbortSignal | undefined): Promise<number> {
    const args = ["rev-list", "--count", commit, "--"]
    const { stdout } = await runGit({ gitDir: this.#gitDir, args, signal })
    const count = Number.parseInt(stdout.toString("latin1"), 10)
    if (this.#counts.size >= MOST_COUNTS) this.#counts.clear()
    this.#counts.set(commit, count)
    return count
  }

  async #list(commit: string, signal: AbortSignal | undefined): Promise<Iterable<string>> {
    const { stdout } = await runGit({ gitDir: this.#gitDir, args: ["rev-list", commit, "--"], signal })
    return lines(stdout, commit.length)
  }
}

/** Ids of one length, one a line: without a string of them all. */
function* lines(output: Buffer, length: number): Iterable<string> {
  for (let at = 0; at + length <= output.length; at += length + 1) {
    yield output.toString("latin1", at, at + length)
  }
}

/** The parents that a commit object names, in its headers: git-cat-file(1), gitformat of commits. */
function parentsOf(content: Buffer = Buffer.alloc(0)): string[] {
  const text = content.toString("latin1")
  const end = text.indexOf("\n\n")
  const headers = (end === -1 ? text : text.slice(0, end)).split("\n")
  return headers.flatMap((line) => (line.startsWith("parent ") ? [line.slice("parent ".length)] : []))
}
