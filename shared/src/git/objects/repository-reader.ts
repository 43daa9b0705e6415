import { HeadraceError } from "../../foundation/errors.ts"
import { FULL_ID } from "../../foundation/object-id.ts"
import type { Tree } from "../../foundation/tree.ts"
import { untilAborted } from "../../foundation/until-aborted.ts"
import type { WriterBounds } from "../../settings/bounds.ts"
import { itemAt } from "../links/sorted-paths.ts"
import type { SourceRepository } from "../source-repository.ts"
import { TreeCache } from "../tree/tree-cache.ts"
import { CommitHistory } from "./commit-history.ts"
import { type CommitSummary, parseCommitSummary } from "./commit-summary.ts"
import { commitsAbbreviated } from "./commits-abbreviated.ts"
import { firstParentLine } from "./first-parent-line.ts"
import { lastChange } from "./last-change.ts"
import { mergeCommit } from "./merge-commit.ts"
import { ObjectReader } from "./object-reader.ts"

/** Bytes of a blob, and files of a commit. */
export type GitBounds = Pick<WriterBounds, "file" | "files">

/** Ids of blobs that were found small enough: as many as a commit may have files, and forgotten together. */
const MOST_CHECKED = 250_000

/**
 * Reads one git repository: commits, trees and contents, by full ids only. Its two processes start at the first
 * read. What a SourceRepository promises, but for fetching.
 */
export class RepositoryReader implements Omit<SourceRepository, "fetch" | "keep"> {
  readonly gitDir: string
  readonly #contents: ObjectReader
  readonly #sizes: ObjectReader
  readonly #trees: TreeCache
  readonly #history: CommitHistory
  readonly #mostBytes: number
  readonly #checked = new Set<string>()

  /**
   * `partial`: a partial clone, whose trees name what it has not fetched instead of being damaged. `bounds`: bytes of a
   * blob and files of a commit; absent: as many as there are.
   */
  constructor(gitDir: string, { partial = false, bounds }: { partial?: boolean; bounds?: GitBounds } = {}) {
    this.#mostBytes = bounds?.file ?? Number.POSITIVE_INFINITY
    this.gitDir = gitDir
    this.#contents = new ObjectReader(gitDir, "contents")
    this.#sizes = new ObjectReader(gitDir, "sizes")
    this.#history = new CommitHistory(gitDir, (ids, signal) => this.#contents.read(ids, signal))
    this.#trees = new TreeCache(gitDir, {
      contents: (oids) => this.blobs(oids),
      sizes: (oids) => this.#blobSizes(oids),
      sized: (files) => this.#note(files),
      objects: (oids) => this.#contents.read(oids),
      ...(bounds ? { mostFiles: bounds.files } : {}),
      ...(partial ? { lacking: (oids) => this.#lacking(oids) } : {}),
    })
  }

  /** The commit that a ref of our own naming is at. Throws `git/missing-object`. */
  async commitAt(ref: string, signal?: AbortSignal): Promise<string> {
    const [found] = await this.#sizes.read([ref], signal)
    if (found?.type !== "commit") throw missing("commit", ref)
    return found.oid
  }

  async seqOf(commit: string, signal?: AbortSignal): Promise<number | undefined> {
    if (!(await this.has(commit, signal))) return undefined
    return this.#history.count(commit, signal)
  }

  async timeOf(commit: string, signal?: AbortSignal): Promise<number | undefined> {
    return (await this.summaryOf(commit, signal))?.committed
  }

  async contains(commit: string, ancestor: string, signal?: AbortSignal): Promise<boolean> {
    if (!(await this.has(commit, signal))) throw missing("commit", commit)
    if (!(await this.has(ancestor, signal))) return false
    return this.#history.contains(commit, ancestor, signal)
  }

  /** Those of `shas` that are `commit` or its ancestors; what is no commit of the repository is not. */
  async contained(
    commit: string,
    shas: readonly string[],
    signal?: AbortSignal,
  ): Promise<ReadonlySet<string>> {
    const ids = shas.filter((sha) => FULL_ID.test(sha))
    if (ids.length === 0 || !(await this.has(commit, signal))) return new Set()
    return this.#history.contained(commit, ids, signal)
  }

  async tree(commit: string, signal?: AbortSignal): Promise<Tree> {
    if (!(await this.has(commit, signal))) throw missing("commit", commit)
    return untilAborted(this.#trees.get(commit), signal)
  }

  /** All files of a tree object, by its full id. Throws `git/…`. */
  async treeObject(id: string, signal?: AbortSignal): Promise<Tree> {
    checkId(id)
    return untilAborted(this.#trees.get(id), signal)
  }

  async mergeOf(tip: string, pullRequest: number, signal?: AbortSignal): Promise<string | undefined> {
    checkId(tip)
    return mergeCommit(this.gitDir, tip, pullRequest, signal)
  }

  abbreviated(prefix: string, signal?: AbortSignal): Promise<string[]> {
    return commitsAbbreviated(this.gitDir, prefix, signal)
  }

  /** Undefined when the repository does not have the commit. */
  async summaryOf(commit: string, signal?: AbortSignal): Promise<CommitSummary | undefined> {
    const content = await this.commitObject(commit, signal)
    return content && parseCommitSummary(content)
  }

  /** A commit object as it is stored; undefined when the repository does not have it. */
  async commitObject(commit: string, signal?: AbortSignal): Promise<Buffer | undefined> {
    checkId(commit)
    const [found] = await this.#contents.read([commit], signal)
    return found?.type === "commit" ? found.content : undefined
  }

  /** `tip` and its first parents, back to the first that `since` contains, which is left out. */
  firstParentLine(tip: string, since: string, signal?: AbortSignal): Promise<string[]> {
    return firstParentLine(this, tip, since, signal)
  }

  /** The newest commit up to `tip` that changed a path. */
  lastChange(tip: string, path: string, signal?: AbortSignal): Promise<string | undefined> {
    checkId(tip)
    return lastChange(this.gitDir, tip, path, signal)
  }

  async file(commit: string, path: string, signal?: AbortSignal): Promise<Buffer | undefined> {
    const { files } = await this.tree(commit, signal)
    const file = itemAt(files, path)
    if (file === undefined) return undefined
    const [content] = await this.blobs([file.oid], signal)
    return content
  }

  async blobs(oids: readonly string[], signal?: AbortSignal): Promise<Buffer[]> {
    for (const oid of oids) checkId(oid)
    await this.#checkSizes(oids, signal)
    const found = await this.#contents.read(oids, signal)
    return found.map((object, index) => {
      if (object?.type !== "blob") throw missing("blob", oids[index] ?? "")
      return object.content
    })
  }

  /** Has reads see the repository as it is now, after packs were removed; what was removed takes no space any more. */
  refresh(): void {
    this.#contents.refresh()
    this.#sizes.refresh()
  }

  /** Ends the processes; reads under way fail with `git/closed`. */
  close(): void {
    this.#contents.close()
    this.#sizes.close()
  }

  /**
   * Before git is asked for a content: it would hold all of it in memory, as this program would. Blobs of a tree that was read
   * are known already.
   */
  async #checkSizes(oids: readonly string[], signal?: AbortSignal): Promise<void> {
    if (this.#mostBytes === Number.POSITIVE_INFINITY) return
    const unchecked = oids.filter((oid) => !this.#checked.has(oid))
    if (unchecked.length === 0) return
    const sizes = await this.#sizes.read(unchecked, signal)
    const large = sizes.find((found) => (found?.size ?? 0) > this.#mostBytes)
    if (large === undefined) return this.#note(sizes.flatMap((found) => found ?? []))
    throw new HeadraceError(
      "git/file-too-large",
      `blob ${large.oid} has ${large.size} bytes, and bounds.file is ${this.#mostBytes}`,
      { hint: "Make the file smaller, or raise bounds.file." },
    )
  }

  /** Remembers the blobs that are small enough. */
  #note(blobs: readonly { oid: string; size: number }[]): void {
    if (this.#mostBytes === Number.POSITIVE_INFINITY) return
    if (this.#checked.size + blobs.length > MOST_CHECKED) this.#checked.clear()
    for (const { oid, size } of blobs) if (size <= this.#mostBytes) this.#checked.add(oid)
  }

  async #blobSizes(oids: readonly string[]): Promise<number[]> {
    const found = await this.#sizes.read(oids)
    return found.map((object, index) => {
      if (object === undefined) throw missing("blob", oids[index] ?? "")
      return object.size
    })
  }

  async #lacking(oids: readonly string[]): Promise<ReadonlySet<string>> {
    const found = await this.#sizes.read(oids)
    return new Set(oids.filter((_, index) => found[index] === undefined))
  }

  /** True when the repository has the commit. */
  async has(commit: string, signal?: AbortSignal): Promise<boolean> {
    checkId(commit)
    const [found] = await this.#sizes.read([commit], signal)
    return found?.type === "commit"
  }
}

function missing(kind: string, name: string): HeadraceError {
  return new HeadraceError("git/missing-object", `the repository has no ${kind} ${name}`, {
    hint: "Name a commit of the followed branch; a force-push may have dropped this one.",
  })
}

/** Lets only full ids through to git: never an option, a ref or an abbreviation. */
function checkId(id: string): void {
  if (FULL_ID.test(id)) return
  throw new HeadraceError("git/bad-id", `${JSON.stringify(id)} is not a full object id`)
}
