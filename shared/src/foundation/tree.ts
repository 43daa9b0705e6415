import type { Problem } from "./problem.ts"

/** A file of a tree. Symbolic links are already resolved: they appear here with their target's content. */
export interface TreeFile {
  /** Relative, `/` between parts, as git writes it. */
  path: string
  /** Names the content: git's blob id, or `sha256:…` for a folder that is not in git. */
  oid: string
  /** Bytes of the content. */
  size: number
  executable: boolean
  /** Where the content really lies, when the path leads there through a symbolic link. */
  real?: string
}

/** A path of a tree whose content is not known. */
export interface TreeProblem extends Problem {
  file: string
  /** True when more files may lie beneath the path: a link that dangles, a submodule, a folder with an unreadable name. */
  beneath: boolean
}

/** All files of a commit or of a folder. */
export interface Tree {
  /** In path order (code units), each path once. */
  files: readonly TreeFile[]
  /** Links that do not resolve, submodules, LFS pointers, names that are no UTF-8: not among the files. */
  problems: readonly TreeProblem[]
}
