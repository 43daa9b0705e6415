import { CommitTable } from "./commit-table.ts"

/**
 * The ancestors of commits that each contain the one before: a branch as fetches saw it. The rows of the table are in
 * the order in which the commits became ancestors, so those of every tip of the chain are the first N rows.
 */
export class CommitChain {
  readonly #table: CommitTable
  /** A tip, and how many rows its ancestors are, itself included. */
  readonly #counts = new Map<string, number>()
  #last: string

  /** `ancestors` are all of the first tip's, itself among them, in any order. */
  constructor(tip: string, ancestors: Iterable<string>) {
    this.#table = new CommitTable(tip)
    this.#last = tip
    this.append(tip, ancestors)
  }

  /** The newest tip. */
  get last(): string {
    return this.#last
  }

  /** True when the commit is the newest tip or one of its ancestors. */
  has(commit: string): boolean {
    return this.#table.rowOf(commit) !== undefined
  }

  /** Makes a commit that contains the last tip the new one; `fresh` are its ancestors that the last tip does not have. */
  append(tip: string, fresh: Iterable<string>): void {
    for (const commit of fresh) this.#table.add(commit)
    this.#counts.set(tip, this.#table.size)
    this.#last = tip
  }

  /** How many ancestors a tip of the chain has, itself included; undefined: it was never a tip here. */
  countOf(tip: string): number | undefined {
    return this.#counts.get(tip)
  }

  /** Whether `ancestor` is `tip` or one of its ancestors; undefined: `tip` was never a tip here. */
  contains(tip: string, ancestor: string): boolean | undefined {
    const count = this.#counts.get(tip)
    if (count === undefined) return undefined
    const row = this.#table.rowOf(ancestor)
    return row !== undefined && row < count
  }
}
