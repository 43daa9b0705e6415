import { randomUUID } from "node:crypto"
import {
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { HeadraceError } from "../../foundation/errors.ts"
import { type GitSetting, gitEnvironment } from "../process/git-environment.ts"
import { runGit } from "../process/run-git.ts"
import { readConversionSettings } from "./conversion-settings.ts"
import { type GitFolders, gitFolders, isRegular, readRegular } from "./git-folders.ts"

/** A checkout as git reads it through a git directory of ours. */
export interface IsolatedRepository {
  gitDir: string
  /** The top folder of the work tree. */
  top: string
  /** For commands that look at the work tree. */
  env: Record<string, string>
  /** True for a partial clone: not every object is there. */
  partial: boolean
  /** True when the history is cut off: a clone with --depth. */
  shallow(): Promise<boolean>
  /** Takes over HEAD and the index as they are now. */
  refresh(): Promise<void>
  close(): Promise<void>
}

/** Of what is linked. */
const ARE_FOLDERS = new Set(["refs", "reftable"])
/** What `git merge-base` may be asked for beside branches and tags. */
const PSEUDO_REFS = ["FETCH_HEAD", "ORIG_HEAD", "MERGE_HEAD"]

/**
 * Makes a git directory of our own, in a temporary folder, through which git reads a checkout: with the checkout's
 * objects, refs and index, without its hooks, and with what names no program of its configuration
 * (conversion-settings.ts). The owner of the checkout could name programs in those (filter.*.clean, core.fsmonitor,
 * core.sshCommand, diff.external, aliases, hooks), which would run as the user who runs this: git(1), "SECURITY". What git
 * stores while it looks goes to the temporary folder. Since the git directory is ours, git has no reason to ask for
 * safe.directory.
 *
 * Undefined when `top` has no repository. Throws `git/failed`.
 */
export async function isolateRepository(top: string): Promise<IsolatedRepository | undefined> {
  const folders = await gitFolders(top)
  if (folders === undefined) return undefined
  const gitDir = await mkdtemp(join(tmpdir(), "headrace-git-"))
  const close = () => rm(gitDir, { recursive: true, force: true })
  try {
    await linkContents(gitDir, folders)
    const { extensions, conversions } = await readConversionSettings(folders)
    await writeConfig(gitDir, extensions)
    await takeOver(gitDir, folders)
    return {
      gitDir,
      top,
      partial: await isPartial(folders),
      // The lock that git would take to refresh an index is not ours to take, where one is read beside ours.
      env: gitEnvironment(conversions, { GIT_WORK_TREE: top, GIT_OPTIONAL_LOCKS: "0" }),
      shallow: async () => (await sizeOf(join(folders.common, "shallow"))) > 0,
      refresh: () => takeOver(gitDir, folders),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** Objects, refs and what else is data, by links: nothing is copied, and later commits are seen. */
async function linkContents(gitDir: string, { own, common }: GitFolders): Promise<void> {
  await mkdir(join(gitDir, "objects", "info"), { recursive: true })
  await mkdir(join(gitDir, "info"))
  const objects = join(common, "objects")
  // Quoted as in C: gitrepository-layout(5), objects/info/alternates.
  await writeFile(join(gitDir, "objects", "info", "alternates"), `${JSON.stringify(objects)}\n`)
  const links = [
    ...["refs", "packed-refs", "shallow", "info/attributes", "info/exclude", "reftable"].map(
      (name) => [join(common, name), name] as const,
    ),
    ...PSEUDO_REFS.map((name) => [join(own, name), name] as const),
  ]
  for (const [target, name] of links) {
    // Packed refs may come later.
    const isComing = name === "packed-refs" && (await sizeOf(target)) < 0
    if (ARE_FOLDERS.has(name) || isComing || (await isRegular(target))) {
      await symlink(target, join(gitDir, name))
    }
  }
  for (const name of await readdir(own)) {
    if (name.startsWith("sharedindex.")) await symlink(join(own, name), join(gitDir, name))
  }
}

async function writeConfig(gitDir: string, extensions: readonly GitSetting[]): Promise<void> {
  const config = join(gitDir, "config")
  await writeFile(config, "[core]\n\trepositoryformatversion = 1\n\tbare = false\n")
  await writeFile(join(gitDir, "HEAD"), "ref: refs/heads/headrace\n")
  for (const setting of extensions) {
    await runGit({ gitDir, args: ["config", "--file", config, ...setting] })
  }
}

async function takeOver(gitDir: string, { own }: GitFolders): Promise<void> {
  const head = (await readRegular(join(own, "HEAD"))) ?? ""
  if (!/^(ref: refs\/\S+|[0-9a-f]{40,64})\s*$/.test(head)) {
    throw new HeadraceError("git/damaged", `${join(own, "HEAD")} is no HEAD of git`)
  }
  await replaced(join(gitDir, "HEAD"), (made) => writeFile(made, head))
  await copyIndex(join(own, "index"), join(gitDir, "index"))
}

/** Puts a new file in place at once: git may read the one before for another lane of the same checkout. rename(2). */
async function replaced(place: string, make: (made: string) => Promise<void>): Promise<void> {
  const made = `${place}.${randomUUID()}`
  await make(made)
  await rename(made, place)
}

/**
 * Copies the index with its time, to the second: git believes the noted times of files only where they are older than
 * the index itself (git's racy-git.txt), and the copy is younger than all of them.
 */
async function copyIndex(from: string, to: string): Promise<void> {
  const found = await stat(from).catch(() => undefined)
  if (!found?.isFile()) return rm(to, { force: true })
  const second = Math.floor(found.mtimeMs / 1000)
  await replaced(to, async (made) => {
    await copyFile(from, made)
    await utimes(made, second, second)
  })
}

/** Packs from a promisor remote are marked so: git's partial-clone.txt. */
async function isPartial({ common }: GitFolders): Promise<boolean> {
  const names: string[] = await readdir(join(common, "objects", "pack")).catch(() => [])
  return names.some((name) => name.endsWith(".promisor"))
}

/** Bytes of a file; -1: there is none. */
async function sizeOf(place: string): Promise<number> {
  return stat(place).then(
    ({ size }) => size,
    () => -1,
  )
}
