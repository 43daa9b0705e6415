import { realpath } from "node:fs/promises"
import { relative, sep } from "node:path"
import { closestWord } from "../../foundation/closest-word.ts"
import { hasCode, UsageError } from "../../foundation/errors.ts"
import type { Tree, TreeFile } from "../../foundation/tree.ts"
import { itemAt } from "../links/sorted-paths.ts"
import { RepositoryReader } from "../objects/repository-reader.ts"
import { runGit } from "../process/run-git.ts"
import { type IsolatedRepository, isolateRepository } from "./isolated-repository.ts"
import { storeWorkTree } from "./store-work-tree.ts"

/** A checkout with its local changes, as git would store it. */
export interface WorkTree {
  repository: IsolatedRepository
  /** Id of the tree object. */
  id: string
  tree: Tree
  blob(oid: string): Promise<Buffer>
  /** The content of a file by where it is on disk; undefined when git would not store it. */
  fileAt(place: string): Promise<Buffer | undefined>
  /** True for a folder that git leaves out of this repository: .gitignore names it. */
  ignores(path: string): Promise<boolean>
  close(): Promise<void>
}

/** Reads the checkout whose top folder this is; undefined when it is none. Throws `git/…`. */
export async function openWorkTree(top: string, signal?: AbortSignal): Promise<WorkTree | undefined> {
  const repository = await isolateRepository(top)
  if (repository === undefined) return undefined
  const reader = new RepositoryReader(repository.gitDir, repository)
  async function close(): Promise<void> {
    reader.close()
    await repository?.close()
  }
  try {
    const { tree: id, problems } = await storeWorkTree(repository, signal)
    const stored = await reader.treeObject(id, signal)
    const tree = withProblems(stored, problems)
    return {
      repository,
      id,
      tree,
      async blob(oid) {
        const [content] = await reader.blobs([oid], signal)
        return content ?? Buffer.alloc(0)
      },
      async fileAt(place) {
        const file = await fileOf(tree, top, place)
        return file && (await reader.blobs([file.oid], signal))[0]
      },
      async ignores(path) {
        if (path === "") return false
        const args = ["check-ignore", "--quiet", "--", `./${path}`]
        const { gitDir, env } = repository
        const { code } = await runGit({ gitDir, env, args, folder: top, signal, answers: [1] })
        return code === 0
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** Of a file with a problem of its own, an older content may be in the tree. */
function withProblems(tree: Tree, problems: Tree["problems"]): Tree {
  if (problems.length === 0) return tree
  const concerned = new Set(problems.map(({ file }) => file))
  const others = tree.problems.filter(({ file }) => !concerned.has(file))
  return {
    files: tree.files.filter(({ path, real = path }) => !concerned.has(path) && !concerned.has(real)),
    problems: [...others, ...problems],
  }
}

async function fileOf(tree: Tree, top: string, place: string): Promise<TreeFile | undefined> {
  const real = await realpath(place).catch(() => place)
  const path = relative(top, real)
  return path.startsWith("..") ? undefined : itemAt(tree.files, path.split(sep).join("/"))
}

/** The commit where HEAD parted from `base`. Throws UsageError `git/branch-missing` where there is no such commit, and `git/…`. */
export async function mergeBase(
  { gitDir }: IsolatedRepository,
  base: string,
  signal?: AbortSignal,
): Promise<string> {
  if (!(await isCommit(gitDir, base, signal))) throw await noSuchBase(gitDir, base, signal)
  const args = ["merge-base", "--end-of-options", base, "HEAD"]
  const { stdout } = await runGit({ gitDir, args, signal })
  return stdout.toString("latin1").trim()
}

async function isCommit(gitDir: string, name: string, signal: AbortSignal | undefined): Promise<boolean> {
  const args = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${name}^{commit}`]
  try {
    await runGit({ gitDir, args, signal })
    return true
  } catch (error) {
    if (hasCode(error, "git/failed")) return false
    throw error
  }
}

/** The error for a base that the clone does not have, with the branch or tag that may be meant. */
async function noSuchBase(
  gitDir: string,
  base: string,
  signal: AbortSignal | undefined,
): Promise<UsageError> {
  const folders = ["refs/heads", "refs/remotes", "refs/tags"]
  const args = ["for-each-ref", "--format=%(refname:short)", ...folders]
  const { stdout } = await runGit({ gitDir, args, signal })
  const known = stdout.toString("utf8").split("\n").filter(Boolean)
  const closest = closestWord(base, known)
  return new UsageError("git/branch-missing", `this clone has no branch, tag or commit ${base}`, {
    hint:
      closest === undefined
        ? `Fetch it first, such as by "git fetch origin ${base.replace(/^origin\//, "")}", or name another.`
        : `Check the spelling: did you mean "${closest}"?`,
  })
}
