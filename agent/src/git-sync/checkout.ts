import { existsSync } from "node:fs"
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { canonicalJson } from "@headrace/shared/foundation/canonical-json"
import { sha256 } from "@headrace/shared/foundation/digest"
import { hasCode } from "@headrace/shared/foundation/errors"
import { makeFolder } from "@headrace/shared/foundation/make-folder"
import type { GitCommandRunner } from "./git-command.ts"
import type { GitSyncSettings } from "./git-sync-settings.ts"

type CheckoutSettings = Pick<
  GitSyncSettings,
  "repo" | "ref" | "depth" | "filter" | "submodules" | "sparseFile" | "gc" | "gitConfig"
>

/** A short commit id: git servers resolve none, so the branches are fetched to find it. */
const SHORT_ID = /^[0-9a-f]{4,39}$/
const FULL_ID = /^([0-9a-f]{40}|[0-9a-f]{64})$/
/** Failures that another clone would not repair: the remote's, the network's and the login's. */
const NOT_OURS = [
  "git/branch-missing",
  "git/commit-missing",
  "git/auth-failed",
  "git/host-key",
  "git/repository-missing",
  "git/disk-full",
  "git/unreachable",
  "git/timeout",
  "git/not-installed",
]
/** Loose objects from which on `gc --auto` collects: git's own default. */
const GC_AUTO = 6700
/** Holds a digest of the options that the work tree was made by. */
const OPTIONS_FILE = "headrace-options"
const REMOTE_REFS = "refs/remotes/origin"

/** True for a ref that never moves. */
export function isFullId(ref: string): boolean {
  return FULL_ID.test(ref)
}

/**
 * Makes the work tree at `folder` when it is missing, fetches the ref into it and gives its commit. Nothing is checked
 * out yet. Throws `git/…`.
 */
export async function fetchCommit(
  folder: string,
  settings: CheckoutSettings,
  git: GitCommandRunner,
  signal: AbortSignal,
): Promise<string> {
  await makeFolder(folder)
  if (!existsSync(join(folder, ".git/HEAD")))
    await git(["init", "--quiet", "--template=", "--initial-branch=git-sync"], signal)
  await removeLocks(join(folder, ".git"))
  await setOrigin(settings.repo, git, signal)
  try {
    await git(await fetchArguments(settings, [settings.ref], git, signal), signal)
    return await git(["rev-parse", "--verify", "--quiet", "FETCH_HEAD^{commit}"], signal)
  } catch (error) {
    if (!SHORT_ID.test(settings.ref) || !hasCode(error, "git/")) throw error
    return fetchShortId(settings, git, signal).catch(() => {
      throw error
    })
  }
}

/** Brings the work tree to a commit that was fetched, with its submodules and without anything else. */
export async function checkOut(
  folder: string,
  commit: string,
  settings: CheckoutSettings,
  git: GitCommandRunner,
  signal: AbortSignal,
): Promise<void> {
  await applyOptions(folder, settings)
  await git(["reset", "--quiet", "--hard", commit, "--"], signal)
  // Twice -f: folders of submodules that the commit does not have are repositories of their own.
  await git(["clean", "--quiet", "-ffdx"], signal)
  if (settings.submodules === "off" || !existsSync(join(folder, ".gitmodules"))) return
  const recursive = settings.submodules === "recursive" ? ["--recursive"] : []
  const depth = settings.depth > 0 ? ["--depth", String(settings.depth)] : []
  await git(["submodule", "--quiet", "sync", ...recursive], signal)
  await git(["submodule", "--quiet", "update", "--init", "--force", ...recursive, ...depth], signal)
  await git(["submodule", "--quiet", "foreach", ...recursive, "git clean --quiet -ffdx"], signal)
}

/** Lets git drop what no ref needs any more, as --git-gc has it. */
export async function collectGarbage(
  gc: GitSyncSettings["gc"],
  git: GitCommandRunner,
  signal: AbortSignal,
): Promise<void> {
  if (gc === "off") return
  await git(["reflog", "expire", "--expire-unreachable=all", "--all"], signal)
  // Our settings turn off what git collects without being asked (gc.auto), which `gc --auto` would obey.
  const command = {
    auto: ["-c", `gc.auto=${GC_AUTO}`, "gc", "--auto"],
    always: ["gc"],
    aggressive: ["gc", "--aggressive"],
  }[gc]
  await git([...command, "--quiet"], signal)
}

/** True when a failure is of the checkout itself, so that a new one may help. */
export function isOfCheckout(error: unknown): boolean {
  return hasCode(error, "git/") && !NOT_OURS.includes(error.code)
}

export async function removeCheckout(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 3 })
}

async function setOrigin(repo: string, git: GitCommandRunner, signal: AbortSignal): Promise<void> {
  // Relative URLs of submodules count from it.
  await git(["config", "remote.origin.url", repo], signal)
}

async function fetchArguments(
  { repo, depth, filter }: CheckoutSettings,
  refs: readonly string[],
  git: GitCommandRunner,
  signal: AbortSignal,
): Promise<string[]> {
  const isShallow = depth === 0 && (await git(["rev-parse", "--is-shallow-repository"], signal)) === "true"
  return [
    "fetch",
    "--no-progress",
    "--prune",
    "--no-auto-maintenance",
    "--no-recurse-submodules",
    "--no-tags",
    ...(depth > 0 ? [`--depth=${depth}`] : []),
    ...(isShallow ? ["--unshallow"] : []),
    ...(filter === undefined ? [] : [`--filter=${filter}`]),
    "--end-of-options",
    repo,
    ...refs,
  ]
}

async function fetchShortId(
  settings: CheckoutSettings,
  git: GitCommandRunner,
  signal: AbortSignal,
): Promise<string> {
  const refs = [`+refs/heads/*:${REMOTE_REFS}/*`, "+refs/tags/*:refs/tags/*"]
  await git(await fetchArguments({ ...settings, depth: 0 }, refs, git, signal), signal)
  return git(["rev-parse", "--verify", "--quiet", `${settings.ref}^{commit}`], signal)
}

/**
 * Writes the sparse patterns, and empties the work tree when it was made by other options: git leaves there what it
 * no longer tracks, such as the files of a submodule or those outside of the patterns.
 */
async function applyOptions(folder: string, settings: CheckoutSettings): Promise<void> {
  const { sparseFile, submodules, gitConfig } = settings
  const patterns = sparseFile === undefined ? undefined : await readFile(sparseFile)
  const options = sha256(canonicalJson([patterns?.toString("base64") ?? null, submodules, gitConfig]))
  const git = join(folder, ".git")
  if ((await readFile(join(git, OPTIONS_FILE), "utf8").catch(() => "")) === options) return
  const names = (await readdir(folder)).filter((name) => name !== ".git")
  await Promise.all(names.map((name) => rm(join(folder, name), { recursive: true, force: true })))
  await rm(join(git, "index"), { force: true })
  await mkdir(join(git, "info"), { recursive: true })
  if (patterns === undefined) await rm(join(git, "info/sparse-checkout"), { force: true })
  else await writeFile(join(git, "info/sparse-checkout"), patterns)
  await writeFile(join(git, OPTIONS_FILE), options)
}

/** Only we use the checkout, so a lock is one that a killed git left. */
async function removeLocks(gitFolder: string): Promise<void> {
  const names = await readdir(gitFolder).catch(() => [])
  const locks = names.filter((name) => name.endsWith(".lock"))
  await Promise.all(locks.map((name) => rm(join(gitFolder, name), { force: true })))
}
