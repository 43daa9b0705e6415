import { mkdir, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gitEnvironment } from "@headrace/shared/git/process/git-environment"
import { runGit } from "@headrace/shared/git/process/run-git"

const FETCH_LIMIT_MS = 600_000

/** A commit's files in a folder of their own; `close` removes it. */
export interface CheckedOutFiles {
  folder: string
  close(): Promise<void>
}

/** Fetches one ref of a repository into a temporary folder. Throws HeadraceError `git/…`. */
export async function checkoutRemote(
  url: string,
  ref: string,
  signal: AbortSignal,
): Promise<CheckedOutFiles> {
  return inFolder(async (top) => {
    const gitDir = join(top, "git")
    await git(undefined, ["init", "--quiet", "--bare", gitDir], signal)
    await git(gitDir, ["fetch", "--quiet", "--depth=1", "--end-of-options", url, ref], signal)
    await writeFiles(gitDir, "FETCH_HEAD", top, signal)
  })
}

/**
 * The files at the merge base of `base` and what is checked out in `folder`. The repository is read alone: the
 * index that git needs lies beside the files.
 */
export async function checkoutMergeBase(
  folder: string,
  base: string,
  signal: AbortSignal,
): Promise<CheckedOutFiles> {
  const prefix = (await git(undefined, ["-C", folder, "rev-parse", "--show-prefix"], signal)).trim()
  const checkout = await inFolder(async (top) => {
    const gitDir = (await git(undefined, ["-C", folder, "rev-parse", "--absolute-git-dir"], signal)).trim()
    const args = ["merge-base", "--end-of-options", base, "HEAD"]
    const commit = (await git(gitDir, args, signal)).trim()
    await writeFiles(gitDir, commit, top, signal)
  })
  return { ...checkout, folder: join(checkout.folder, prefix) }
}

async function inFolder(fill: (top: string) => Promise<void>): Promise<CheckedOutFiles> {
  const top = await mkdtemp(join(tmpdir(), "headrace-check-"))
  const close = () => rm(top, { recursive: true, force: true })
  try {
    await mkdir(join(top, "files"))
    await fill(top)
    return { folder: join(top, "files"), close }
  } catch (error) {
    await close()
    throw error
  }
}

async function writeFiles(gitDir: string, commit: string, top: string, signal: AbortSignal): Promise<void> {
  const env = { ...gitEnvironment(), GIT_INDEX_FILE: join(top, "index"), GIT_WORK_TREE: join(top, "files") }
  await runGit({ gitDir, args: ["read-tree", "--end-of-options", commit], env, signal })
  await runGit({ gitDir, args: ["checkout-index", "--all", "--force"], env, signal })
}

async function git(
  gitDir: string | undefined,
  args: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  const { stdout } = await runGit({ ...(gitDir && { gitDir }), args, signal, timeout: FETCH_LIMIT_MS })
  return stdout.toString("utf8")
}
