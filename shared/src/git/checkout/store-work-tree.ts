import { isUtf8 } from "node:buffer"
import { lstat } from "node:fs/promises"
import { join } from "node:path"
import type { TreeProblem } from "../../foundation/tree.ts"
import { runGit } from "../process/run-git.ts"
import { filterProblem, lfsProblem } from "../tree-problems.ts"
import type { IsolatedRepository } from "./isolated-repository.ts"

/** What git would store of a work tree as it is now. */
export interface StoredWorkTree {
  /** Id of a tree object, which only the isolated repository has. */
  tree: string
  /** Changed files whose stored content is not known, since a filter makes it. */
  problems: TreeProblem[]
}

/** What differs from the index: paths in git's own bytes, as names need not be UTF-8. */
interface LocalChanges {
  removed: Buffer[]
  changed: Buffer[]
  /** Repositories within the work tree that are no submodules yet. */
  repositories: Buffer[]
}

const NUL = 0
/** Represents the commit of a repository within the work tree, which is not looked at. */
const SOME_COMMIT = "1".repeat(40)
/** Attribute values that mean: no filter. gitattributes(5). */
const NO_FILTER = new Set(["unspecified", "unset", "set"])

/**
 * Works out the tree that `git add --all` and a commit would store: the index, with local changes and new files that
 * are not ignored, after git's own conversions (`text`, `eol`, `ident`, `working-tree-encoding`). Files that a sparse
 * checkout leaves out are there. A filter (Git LFS, git-crypt) is a program that the checkout's configuration names,
 * so none runs: a changed file that has one is a problem. Nothing is written to the checkout. Throws `git/…`.
 */
export async function storeWorkTree(
  repository: IsolatedRepository,
  signal?: AbortSignal,
): Promise<StoredWorkTree> {
  const { gitDir, env, top } = repository
  async function git(args: readonly string[], stdin?: Buffer): Promise<Buffer> {
    const { stdout } = await runGit({ gitDir, env, folder: top, args, signal, ...(stdin ? { stdin } : {}) })
    return stdout
  }
  const changes = await localChanges(repository, git)
  const filtered = await filteredPaths(changes.changed, git)
  const toStore = changes.changed.filter((path) => !filtered.has(path.toString("latin1")))
  if (changes.removed.length > 0)
    await git(["update-index", "-z", "--force-remove", "--stdin"], records(changes.removed))
  const add = ["update-index", "-z", "--add", "--replace", "--remove", "--stdin"]
  if (toStore.length > 0) await git(add, records(toStore))
  if (changes.repositories.length > 0) {
    const entries = changes.repositories.map((path) =>
      Buffer.concat([Buffer.from(`160000 ${SOME_COMMIT} 0\t`), path]),
    )
    await git(["update-index", "-z", "--replace", "--index-info"], records(entries))
  }
  const tree = (await git(["write-tree", "--missing-ok"])).toString("latin1").trim()
  const problems = [...filtered].flatMap(([path, filter]) => {
    const name = Buffer.from(path, "latin1")
    if (!isUtf8(name)) return []
    return filter === "lfs" ? [lfsProblem(name.toString())] : [filterProblem(name.toString(), filter)]
  })
  return { tree, problems }
}

async function localChanges(
  { top }: IsolatedRepository,
  git: (args: readonly string[]) => Promise<Buffer>,
): Promise<LocalChanges> {
  // Submodules are not looked into: git would run itself in them, with their configuration.
  const diff = await git(["diff-files", "-z", "--name-status", "--no-renames", "--ignore-submodules=all"])
  const found: LocalChanges = { removed: [], changed: [], repositories: [] }
  const fields = split(diff)
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [status, path] = [String(fields[at]), fields[at + 1]]
    if (path === undefined) break
    const gone = status === "D" || (status === "U" && !(await exists(top, path)))
    ;(gone ? found.removed : found.changed).push(path)
  }
  for (const path of split(await git(["ls-files", "-z", "--others", "--exclude-standard"]))) {
    if (path.at(-1) === 0x2f) found.repositories.push(path.subarray(0, -1))
    else found.changed.push(path)
  }
  return found
}

/** Those of these paths that have a filter, as latin1, with its name. */
async function filteredPaths(
  paths: readonly Buffer[],
  git: (args: readonly string[], stdin?: Buffer) => Promise<Buffer>,
): Promise<Map<string, string>> {
  if (paths.length === 0) return new Map()
  const answers = split(await git(["check-attr", "-z", "--stdin", "filter"], records(paths)))
  const filtered = new Map<string, string>()
  for (let at = 0; at + 2 < answers.length; at += 3) {
    const value = String(answers[at + 2])
    if (!NO_FILTER.has(value)) filtered.set(String(answers[at]?.toString("latin1")), value)
  }
  return filtered
}

function records(items: readonly Buffer[]): Buffer {
  return Buffer.concat(items.flatMap((item) => [item, Buffer.from([NUL])]))
}

function split(output: Buffer): Buffer[] {
  const parts: Buffer[] = []
  for (let from = 0, to = output.indexOf(NUL); to >= 0; from = to + 1, to = output.indexOf(NUL, from)) {
    parts.push(output.subarray(from, to))
  }
  return parts
}

function exists(top: string, path: Buffer): Promise<boolean> {
  const place = Buffer.concat([Buffer.from(join(top, "/")), path])
  return lstat(place).then(
    () => true,
    () => false,
  )
}
