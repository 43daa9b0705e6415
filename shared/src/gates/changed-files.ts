import { compareSorted } from "../foundation/sorted-list.ts"
import type { Tree, TreeFile } from "../foundation/tree.ts"

/** A file that is new or has other content. */
export interface FileChange {
  /** As it is in force; undefined: it is not. */
  before: TreeFile | undefined
  after: TreeFile
}

/** What a commit changes of the files in force. */
export interface TreeChange {
  /** In path order. */
  changed: readonly FileChange[]
  removed: readonly TreeFile[]
}

/** Compares two trees by their content ids; without `before` every file is new. Pure. */
export function changedFiles(before: Tree | undefined, after: Tree): TreeChange {
  const differences = compareSorted(
    before?.files ?? [],
    after.files,
    ({ path }) => path,
    (was, is) => was.oid === is.oid,
  )
  return {
    changed: differences.flatMap(({ before: was, after: file }) =>
      file ? { before: was, after: file } : [],
    ),
    removed: differences.flatMap(({ before: was, after: file }) => (was && !file ? was : [])),
  }
}
