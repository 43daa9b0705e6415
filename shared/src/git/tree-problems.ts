import type { Problem } from "../foundation/problem.ts"

/** A submodule: a commit of another repository, which the tree only names. */
export function submoduleProblem(path: string): Problem {
  return {
    severity: "warning",
    code: "git/submodule",
    message: `${path} is a submodule; its files are not part of this source`,
    hint: "Make it a source of its own, or copy the files that rules need.",
    file: path,
  }
}

/** A Git LFS pointer in place of the file's content. */
export function lfsProblem(path: string): Problem {
  return {
    severity: "warning",
    code: "git/lfs-pointer",
    message: `${path} is kept in Git LFS, which is not followed; the file is left out`,
    hint: "Keep files that rules name in git itself (git lfs migrate export).",
    file: path,
  }
}

/** A path that cannot be shown as text, or not beneath a folder. */
export function pathProblem(path: string, reason: string): Problem {
  return {
    severity: "error",
    code: "git/bad-path",
    message: `the path ${JSON.stringify(path)} ${reason}; the file is left out`,
    hint: "Rename it: parts in UTF-8, none of them empty, . or ..",
    file: path,
  }
}

/** A named pipe, socket or device, which git would not hold either. */
export function specialFileProblem(path: string): Problem {
  return {
    severity: "warning",
    code: "git/special-file",
    message: `${path} is neither a file, a folder nor a link; it is left out`,
    file: path,
  }
}
