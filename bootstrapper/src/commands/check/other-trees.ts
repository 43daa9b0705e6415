import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { mergeBase } from "@headrace/shared/git/checkout/work-tree"
import { foldersOfTree } from "@headrace/shared/git/folders-of-tree"
import { checkUrl } from "@headrace/shared/git/git-login"
import { servedLocally } from "@headrace/shared/git/local-remote"
import { RepositoryReader } from "@headrace/shared/git/objects/repository-reader"
import { gitEnvironment } from "@headrace/shared/git/process/git-environment"
import { runGit } from "@headrace/shared/git/process/run-git"
import type { FolderInCheckout, FolderTree } from "@headrace/shared/git/read-folder-tree"

const FETCH_LIMIT_MS = 600_000

/** A commit's files, of which nothing is on disk. */
export interface CommitTree extends FolderTree {
  /** A file by its path in the repository; undefined when it is not there. */
  file(path: string): Promise<Buffer | undefined>
  /** Ends the processes that read, and removes what was fetched. */
  close(): Promise<void>
}

/** Fetches one ref of a repository into a temporary folder and reads it there. Throws HeadraceError `git/…`. */
export async function readRemoteTree(url: string, ref: string, signal: AbortSignal): Promise<CommitTree> {
  checkUrl(url, undefined)
  const gitDir = await mkdtemp(join(tmpdir(), "headrace-check-"))
  const reader = new RepositoryReader(gitDir)
  const close = async () => {
    reader.close()
    await rm(gitDir, { recursive: true, force: true })
  }
  try {
    await runGit({ args: ["init", "--quiet", "--bare", "--template=", gitDir], signal })
    const served = servedLocally(url)
    const args = ["fetch", "--quiet", "--depth=1", ...served.args, "--end-of-options", url, ref]
    await runGit({ gitDir, args, env: gitEnvironment([], served.env), signal, timeout: FETCH_LIMIT_MS })
    return {
      ...(await commitTree(reader, await reader.commitAt("FETCH_HEAD^{commit}", signal), signal)),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** The files at the merge base of `base` and what is checked out in a folder, by their paths from there. */
export async function readMergeBase(
  { workTree, path }: FolderInCheckout,
  base: string,
  signal: AbortSignal,
): Promise<CommitTree> {
  const reader = new RepositoryReader(workTree.repository.gitDir, workTree.repository)
  try {
    const commit = await mergeBase(workTree.repository, base, signal)
    const { tree, ...rest } = await commitTree(reader, commit, signal)
    return { ...rest, tree: foldersOfTree(tree, [path]), close: async () => reader.close() }
  } catch (error) {
    reader.close()
    throw error
  }
}

async function commitTree(reader: RepositoryReader, commit: string, signal: AbortSignal) {
  return {
    tree: await reader.tree(commit, signal),
    async read({ oid }: { oid: string }): Promise<Buffer> {
      const [content] = await reader.blobs([oid], signal)
      return content ?? Buffer.alloc(0)
    },
    file: (path: string) => reader.file(commit, path, signal),
  }
}
