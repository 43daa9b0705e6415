import type { Tree } from "../foundation/tree.ts"

/** The tip of the followed branch. */
export interface Tip {
  /** Full commit id. */
  commit: string
  /** `git rev-list --count` over all ancestors: the seq of its token. */
  seq: number
}

/** A git source as reconcile sees it: a mirror that can be fetched and read at any commit. */
export interface SourceRepository {
  /** The tip as of a fetch that began after this call. Throws `git/…`. */
  fetch(signal?: AbortSignal): Promise<Tip>
  /** Undefined when the mirror does not have that commit. */
  seqOf(commit: string, signal?: AbortSignal): Promise<number | undefined>
  /** When a commit was made, by its committer: milliseconds since the epoch. Undefined when the mirror does not have it. */
  timeOf(commit: string, signal?: AbortSignal): Promise<number | undefined>
  /**
   * Keeps a commit that something needs beside the branch (a hold, a rewind): fetched by its id when it is not there,
   * and held by a ref, so that a force-push does not lose it. Asked for again as long as it is needed. False when the
   * server does not give it. Throws `git/…` when that is not known.
   */
  keep(commit: string, signal?: AbortSignal): Promise<boolean>
  /** True when `ancestor` is `commit` or one of its ancestors. */
  contains(commit: string, ancestor: string, signal?: AbortSignal): Promise<boolean>
  /** The newest commit up to `tip` that merged a pull request, as far as its subject shows (merge-commit.ts). */
  mergeOf(tip: string, pullRequest: number, signal?: AbortSignal): Promise<string | undefined>
  /** The commits that the mirror has whose ids begin with these 4 or more digits, in id order. */
  abbreviated(prefix: string, signal?: AbortSignal): Promise<string[]>
  /** All files at a commit. Cached: asking again for a recent commit is cheap. */
  tree(commit: string, signal?: AbortSignal): Promise<Tree>
  /** One file's bytes by its path at a commit; undefined when it is not there. */
  file(commit: string, path: string, signal?: AbortSignal): Promise<Buffer | undefined>
  /** Contents by blob id, in the order asked for, fetched in one go. Throws `git/missing-object`. */
  blobs(oids: readonly string[], signal?: AbortSignal): Promise<Buffer[]>
}
