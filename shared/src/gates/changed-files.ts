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

/** Compares two trees by their content ids; without `before` every file is new. Pure; linear in the number of files. */
export function changedFiles(before: Tree | undefined, after: Tree): TreeChange {
  const old = before?.files ?? []
  const changed: FileChange[] = []
  const removed: TreeFile[] = []
  let at = 0
  for (const file of after.files) {
    let was = old[at]
    // Nearly all are the same: two strings are compared for equality sooner than for order.
    if (was?.path !== file.path) {
      for (; was && was.path < file.path; was = old[++at]) removed.push(was)
    }
    if (was?.path !== file.path) {
      changed.push({ before: undefined, after: file })
      continue
    }
    at += 1
    if (was.oid !== file.oid) changed.push({ before: was, after: file })
  }
  return { changed, removed: [...removed, ...old.slice(at)] }
}
