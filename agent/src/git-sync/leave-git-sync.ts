import { lstat, readdir, readFile, rm } from "node:fs/promises"
import { isAbsolute, join, resolve } from "node:path"
import { errorText } from "@headrace/shared/foundation/errors"
import type { Log } from "@headrace/shared/observe/log"

/** A worktree of git-sync, 4.x and 3.x, by the target of its link. */
const WORKTREE = /(^|\/)(\.worktrees\/)?([0-9a-f]{40}|[0-9a-f]{64})$/
/** How long git-sync's worktrees stay after the first publish, in milliseconds: readers may be in them. */
const GRACE_MS = 60_000

/** True for the target of a link that git-sync made for this root. */
export function takesOverLink(root: string): (target: string) => boolean {
  return (target) => WORKTREE.test(target) && (!isAbsolute(target) || resolve(target).startsWith(`${root}/`))
}

/**
 * Removes what git-sync has left in --root, a while after the first publish: its repository and worktrees, which are
 * known by their names and by the branch that git-sync makes. A failure is logged, and stops nothing.
 */
export async function removeLeftBehind(root: string, log: Log, isFirst: boolean): Promise<void> {
  if (!isFirst || !(await isOfGitSync(root))) return
  const timer = setTimeout(() => {
    removeNow(root).then(
      (removed) => log.info({ root, removed }, "removed the repository and worktrees of git-sync"),
      (error: unknown) =>
        log.warn({ root, err: errorText(error) }, "what git-sync has left cannot be removed"),
    )
  }, GRACE_MS)
  timer.unref()
}

async function removeNow(root: string): Promise<number> {
  const names = (await readdir(root)).filter(
    (name) => name === ".git" || name === ".worktrees" || WORKTREE.test(name),
  )
  for (const name of names) {
    if ((await lstat(join(root, name))).isDirectory())
      await rm(join(root, name), { recursive: true, force: true })
  }
  return names.length
}

/** git-sync names the branch of its repository after itself. */
async function isOfGitSync(root: string): Promise<boolean> {
  const head = await readFile(join(root, ".git/HEAD"), "utf8").catch(() => "")
  return head.trim() === "ref: refs/heads/git-sync"
}
