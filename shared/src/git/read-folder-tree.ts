import { readFile } from "node:fs/promises"
import { compareText } from "../foundation/canonical-json.ts"
import { HeadraceError } from "../foundation/errors.ts"
import type { Tree, TreeFile, TreeProblem } from "../foundation/tree.ts"
import { contentId, fileChanged } from "./folder-content.ts"
import { resolveLinks } from "./links/resolve-links.ts"
import { walkFolder } from "./walk-folder.ts"

/** A tree that lies in folders, and the way to its contents. */
export interface FolderTree {
  tree: Tree
  /** A file's bytes. Throws `git/file-changed` when they are no longer those that `tree` was made from. */
  read(file: TreeFile): Promise<Buffer>
}

/**
 * Reads source paths into one tree: all files of each folder, and of two folders that give a path, the
 * first wins. A source path that is itself a symbolic link is followed, as git-sync publishes one; links
 * beneath it resolve inside their own folder. `.git` is left out. Blob ids are `sha256:` and 64 hex digits.
 *
 * Throws UsageError `git/folder-missing` and HeadraceError `git/file-changed`.
 */
export async function readFolderTree(folders: readonly string[]): Promise<FolderTree> {
  const files = new Map<string, TreeFile>()
  const problems = new Map<string, TreeProblem>()
  const places = new Map<string, string>()
  for (const folder of folders) {
    const found = await walkFolder(folder)
    const resolved = resolveLinks(found)
    addFirst(places, found.places)
    addFirst(
      files,
      resolved.files.map((file) => [file.path, file]),
    )
    addFirst(
      problems,
      resolved.problems.map((problem) => [problem.file, problem]),
    )
  }
  const tree: Tree = {
    files: [...files.values()].sort((a, b) => compareText(a.path, b.path)),
    problems: [...problems.values()].filter((problem) => !files.has(problem.file)),
  }
  return { tree, read: (file) => readUnchanged(file, places) }
}

function addFirst<T>(known: Map<string, T>, found: Iterable<[string, T]>): void {
  for (const [key, value] of found) if (!known.has(key)) known.set(key, value)
}

async function readUnchanged(file: TreeFile, places: ReadonlyMap<string, string>): Promise<Buffer> {
  const place = places.get(file.oid)
  if (place === undefined) {
    throw new HeadraceError("git/missing-object", `${file.path} (${file.oid}) is not a file of these folders`)
  }
  const content = await readFile(place)
  if (contentId(content) !== file.oid) throw fileChanged(place)
  return content
}
