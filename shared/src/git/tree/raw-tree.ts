import type { TreeFile, TreeProblem } from "../../foundation/tree.ts"
import type { TreeLink } from "../links/follow-link.ts"

/** Characters of a path, PATH_MAX: path_resolution(7). */
export const LONGEST_PATH = 4096

/** One line of `git ls-tree -r`, or the new side of a difference between two trees. */
export interface TreeEntry {
  path: string
  /** Octal, as git writes it: 100644, 100755, 120000 (link), 160000 (submodule). */
  mode: string
  oid: string
  /** Undefined where git did not say. */
  size: number | undefined
}

/** A commit's tree before links are resolved; each list in path order. */
export interface RawTree {
  files: readonly TreeFile[]
  links: readonly TreeLink[]
  /** Submodules, LFS pointers and bad paths, by `file`. */
  problems: readonly TreeProblem[]
}
