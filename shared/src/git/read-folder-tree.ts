import { readFile } from "node:fs/promises"
import { compareText } from "../foundation/canonical-json.ts"
import { HeadraceError } from "../foundation/errors.ts"
import type { Tree, TreeFile, TreeProblem } from "../foundation/tree.ts"
import { type CheckedOutFile, checkedOutFiles } from "./checked-out-files.ts"
import { openWorkTree, type WorkTree } from "./checkout/work-tree.ts"
import { findCheckout } from "./find-checkout.ts"
import { contentId, fileChanged } from "./folder-content.ts"
import { foldersOfTree } from "./folders-of-tree.ts"
import { resolveLinks } from "./links/resolve-links.ts"
import { itemAt } from "./links/sorted-paths.ts"
import { realFolder, walkFolder } from "./walk-folder.ts"

/** A tree, and the way to its contents. */
export interface FolderTree {
  tree: Tree
  /** A file's bytes. Throws `git/file-changed` when they are no longer those that `tree` was made from. */
  read(file: TreeFile): Promise<Buffer>
}

/** The tree of folders on disk. */
export interface FoldersTree extends FolderTree {
  /** What git would store of a file on disk; undefined when it is in none of the checkouts that were read. */
  fileAt(place: string): Promise<Buffer | undefined>
  /**
   * How a clone has these files of the tree on disk, by their paths in it: only those of checkouts whose attributes
   * convert them.
   */
  checkedOut(files: readonly TreeFile[]): Promise<ReadonlyMap<string, CheckedOutFile>>
  /** The checkout that each folder lies in, with the folder's path there; undefined: none. */
  checkouts: readonly (FolderInCheckout | undefined)[]
  /** Ends the processes that read, and removes what they needed. */
  close(): Promise<void>
}

/** A folder of a checkout. */
export interface FolderInCheckout {
  workTree: WorkTree
  /** From the top, with `/` between parts; empty for the top itself. */
  path: string
}

/** What one folder gives. */
interface Part {
  tree: Tree
  oids: ReadonlySet<string>
  read(oid: string): Promise<Buffer | undefined>
}

/**
 * Reads source paths into one tree: all files of each folder, and of two folders that give a path, the
 * first wins. A source path that is itself a symbolic link is followed, as git-sync publishes one.
 *
 * A folder of a git checkout gives what git would store of it, as a mirror of the repository will show it after a
 * commit: local changes and new files count, what .gitignore names does not, and links may lead to anywhere in the
 * repository. Git runs without the checkout's own configuration, so nothing that it names is run. Any other folder
 * gives the bytes on disk; links resolve inside it, and blob ids are `sha256:` and 64 hex digits.
 *
 * Throws UsageError `git/folder-missing` and HeadraceError `git/…`.
 */
export async function readFolderTree(folders: readonly string[], signal?: AbortSignal): Promise<FoldersTree> {
  const workTrees = new Map<string, WorkTree>()
  const close = async () => {
    await Promise.all([...workTrees.values()].map((workTree) => workTree.close()))
  }
  try {
    const checkouts: (FolderInCheckout | undefined)[] = []
    const parts: Part[] = []
    for (const folder of folders) {
      const found = await folderInCheckout(folder, workTrees, signal)
      checkouts.push(found)
      parts.push(found ? partOfCheckout(found) : await partOfFolder(folder))
    }
    return {
      tree: joinTrees(parts.map((part) => part.tree)),
      read: (file) => readFrom(parts, file),
      checkouts,
      checkedOut: (files) => checkedOutOf(checkouts, files, signal),
      async fileAt(place) {
        for (const workTree of workTrees.values()) {
          const content = await workTree.fileAt(place)
          if (content !== undefined) return content
        }
        return undefined
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** A folder that its repository ignores (a build's output) is read as any other. */
async function folderInCheckout(
  folder: string,
  workTrees: Map<string, WorkTree>,
  signal: AbortSignal | undefined,
): Promise<FolderInCheckout | undefined> {
  const found = await findCheckout(await realFolder(folder))
  if (found === undefined) return undefined
  const workTree = workTrees.get(found.top) ?? (await openWorkTree(found.top, signal))
  if (workTree === undefined) return undefined
  workTrees.set(found.top, workTree)
  return (await workTree.ignores(found.path)) ? undefined : { workTree, path: found.path }
}

async function checkedOutOf(
  checkouts: readonly (FolderInCheckout | undefined)[],
  files: readonly TreeFile[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, CheckedOutFile>> {
  const all = new Map<string, CheckedOutFile>()
  for (const checkout of checkouts) {
    if (checkout === undefined) continue
    const { workTree, path } = checkout
    const prefix = path === "" ? "" : `${path}/`
    const placeOf = (file: TreeFile) => file.real ?? prefix + file.path
    // Of several folders, a file is of the first that has it.
    const mine = files.filter((file) => itemAt(workTree.tree.files, prefix + file.path)?.oid === file.oid)
    const tree = { gitDir: workTree.repository.gitDir, id: workTree.id }
    const found = await checkedOutFiles(tree, mine.map(placeOf), signal)
    for (const file of mine) {
      const clone = found.get(placeOf(file))
      if (clone && !all.has(file.path)) all.set(file.path, clone)
    }
  }
  return all
}

function partOfCheckout({ workTree, path }: FolderInCheckout): Part {
  return partOf(foldersOfTree(workTree.tree, [path]), (oid) => workTree.blob(oid))
}

async function partOfFolder(folder: string): Promise<Part> {
  const found = await walkFolder(folder)
  return partOf(resolveLinks(found), (oid) => readUnchanged(oid, found.places))
}

function partOf(tree: Tree, read: Part["read"]): Part {
  return { tree, oids: new Set(tree.files.map(({ oid }) => oid)), read }
}

/** All files of the trees: of two that have a path, the first wins. */
export function joinTrees(trees: readonly Tree[]): Tree {
  const [only, ...others] = trees
  if (only !== undefined && others.length === 0) return only
  const files = new Map<string, TreeFile>()
  const problems = new Map<string, TreeProblem>()
  for (const tree of trees) {
    addFirst(files, tree.files, (file) => file.path)
    addFirst(problems, tree.problems, (problem) => problem.file)
  }
  return {
    files: [...files.values()].sort((a, b) => compareText(a.path, b.path)),
    problems: [...problems.values()].filter((problem) => !files.has(problem.file)),
  }
}

function addFirst<T>(known: Map<string, T>, items: readonly T[], keyOf: (item: T) => string): void {
  for (const item of items) if (!known.has(keyOf(item))) known.set(keyOf(item), item)
}

async function readFrom(parts: readonly Part[], file: TreeFile): Promise<Buffer> {
  const content = await parts.find(({ oids }) => oids.has(file.oid))?.read(file.oid)
  if (content !== undefined) return content
  throw new HeadraceError("git/missing-object", `${file.path} (${file.oid}) is not a file of these folders`)
}

async function readUnchanged(oid: string, places: ReadonlyMap<string, string>): Promise<Buffer | undefined> {
  const place = places.get(oid)
  if (place === undefined) return undefined
  const content = await readFile(place)
  if (contentId(content) !== oid) throw fileChanged(place)
  return content
}
