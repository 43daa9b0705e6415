import { compareText } from "../foundation/canonical-json.ts"
import type { Tree } from "../foundation/tree.ts"

/**
 * A tree of what lies in these folders of another, by the paths from each: of two folders that give a path, the
 * first wins. Folders are without a slash at either end; `""` is the whole tree. Symbolic links are in the tree with
 * their targets' content, so that one may lead out of its folder.
 */
export function foldersOfTree(tree: Tree, folders: readonly string[]): Tree {
  if (folders.length === 1 && folders[0] === "") return tree
  const files = new Map<string, Tree["files"][number]>()
  const problems = new Map<string, Tree["problems"][number]>()
  for (const folder of folders) {
    for (const file of tree.files) addBeneath(files, folder, file.path, (path) => ({ ...file, path }))
    for (const problem of tree.problems)
      addBeneath(problems, folder, problem.file, (file) => ({ ...problem, file }))
  }
  return {
    files: [...files.values()].sort((a, b) => compareText(a.path, b.path)),
    problems: [...problems.values()].filter((problem) => !files.has(problem.file)),
  }
}

function addBeneath<Item>(
  found: Map<string, Item>,
  folder: string,
  path: string,
  at: (path: string) => Item,
): void {
  const prefix = folder === "" ? "" : `${folder}/`
  if (!path.startsWith(prefix)) return
  const beneath = path.slice(prefix.length)
  if (!found.has(beneath)) found.set(beneath, at(beneath))
}
