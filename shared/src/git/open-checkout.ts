import { HeadraceError, UsageError } from "../foundation/errors.ts"
import { namedText } from "../foundation/named-text.ts"
import { type IsolatedRepository, isolateRepository } from "./checkout/isolated-repository.ts"
import { foldersOfTree } from "./folders-of-tree.ts"
import { RepositoryReader } from "./objects/repository-reader.ts"
import { runGit } from "./process/run-git.ts"
import type { SourceRepository, Tip } from "./source-repository.ts"

/** As many changed paths as a message names. */
const MOST_NAMED = 5

export type Checkout = SourceRepository & {
  /** What reads its objects: git sees them through a git directory of ours. */
  objects(): RepositoryReader
  close(): Promise<void>
}

/**
 * Opens a checkout, the top folder of a work tree, as a source at its HEAD, as a periodic job has one
 * (Prow's config-bootstrapper). `fetch` reads HEAD again and checks the checkout; nothing in it is ever written, and
 * nothing that its configuration names is run, any user may own it (isolated-repository.ts). With
 * `folders` its tree is what lies in those, by the paths from each; `file` goes by paths from the top all the same.
 *
 * Throws UsageError `git/not-a-checkout`. `fetch` throws `git/shallow`, since a shallow history cannot be counted,
 * and `git/dirty`, since what is not committed has no place in the order of commits.
 */
export async function openCheckout(folder: string, folders: readonly string[] = [""]): Promise<Checkout> {
  const repository = await isolateRepository(folder)
  if (repository === undefined) {
    throw new UsageError("git/not-a-checkout", `${folder} is not the top of a git checkout`, {
      hint: "Give the folder that holds .git, or follow the repository as a source.",
    })
  }
  const reader = new RepositoryReader(repository.gitDir, repository)
  return {
    async fetch(signal) {
      await repository.refresh()
      await refuseShallow(repository)
      await refuseDirty(repository, signal)
      return headOf(reader, signal)
    },
    objects: () => reader,
    seqOf: (commit, signal) => reader.seqOf(commit, signal),
    timeOf: (commit, signal) => reader.timeOf(commit, signal),
    // What is checked out stays there: the checkout's own refs keep its history.
    keep: (commit, signal) => reader.has(commit, signal),
    contains: (commit, ancestor, signal) => reader.contains(commit, ancestor, signal),
    mergeOf: (tip, pullRequest, signal) => reader.mergeOf(tip, pullRequest, signal),
    abbreviated: (prefix, signal) => reader.abbreviated(prefix, signal),
    tree: async (commit, signal) => foldersOfTree(await reader.tree(commit, signal), folders),
    file: (commit, path, signal) => reader.file(commit, path, signal),
    blobs: (oids, signal) => reader.blobs(oids, signal),
    async close() {
      reader.close()
      await repository.close()
    },
  }
}

async function headOf(reader: RepositoryReader, signal: AbortSignal | undefined): Promise<Tip> {
  const commit = await reader.commitAt("HEAD", signal)
  return { commit, seq: (await reader.seqOf(commit, signal)) ?? 0 }
}

async function refuseShallow(repository: IsolatedRepository): Promise<void> {
  if (!(await repository.shallow())) return
  const message = `${repository.top} is a shallow clone, which lacks part of its history`
  throw new HeadraceError("git/shallow", message, {
    hint: "Run git fetch --unshallow in it, or clone without --depth.",
  })
}

async function refuseDirty(
  { top, gitDir, env }: IsolatedRepository,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { stdout } = await runGit({
    gitDir,
    env,
    folder: top,
    args: ["status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--ignore-submodules=all"],
    signal,
  })
  const paths = stdout
    .toString("utf8")
    .split("\0")
    .filter(Boolean)
    .map((line) => line.slice(3))
  if (paths.length === 0) return
  throw new HeadraceError("git/dirty", `${top} differs from its HEAD: ${namedText(paths, MOST_NAMED)}`, {
    hint: "Commit the changes, or take a clean checkout.",
  })
}
