import type { TreeProblem } from "../foundation/tree.ts"

// Each is an error: to plan without what is behind the path would delete keys that a rule still asks for. The planner
// ties it to the rules that could match there, and a path that no rule names is nobody's problem.

/** Of a path that is too long to be read whole. */
const SHOWN_CHARACTERS = 500

/** A submodule: a commit of another repository, which the tree only names. */
export function submoduleProblem(path: string): TreeProblem {
  return {
    severity: "error",
    code: "git/submodule",
    message: `${path} is a submodule, whose files are not part of this source`,
    hint: "Make it a source of its own, or copy the files that rules need.",
    file: path,
    beneath: true,
  }
}

/** A Git LFS pointer in place of the file's content. */
export function lfsProblem(path: string): TreeProblem {
  return {
    severity: "error",
    code: "git/lfs-pointer",
    message: `${path} is a Git LFS pointer, and the file that it points to is not in git`,
    hint: "Keep files that rules name in git itself (git lfs migrate export).",
    file: path,
    beneath: false,
  }
}

/** A file whose content a partial clone has not fetched. */
export function absentProblem(path: string, beneath: boolean): TreeProblem {
  return {
    severity: "error",
    code: "git/absent",
    message: `the content of ${path} is not in this partial clone`,
    hint: "Clone without --filter, or follow the repository as a source.",
    file: path,
    beneath,
  }
}

/** A changed file of a checkout that a filter program would convert before git stores it. */
export function filterProblem(path: string, filter: string): TreeProblem {
  return {
    severity: "error",
    code: "git/filtered",
    message: `${path} differs from what git has of it, and its filter ${filter} is not run to learn what git would store`,
    hint: "Commit the change, or run git update-index --refresh when nothing was changed.",
    file: path,
    beneath: false,
  }
}

/** A path that cannot be shown as text, or not beneath a folder. */
export function pathProblem(path: string, reason: string, beneath = false): TreeProblem {
  return {
    severity: "error",
    code: "git/bad-path",
    message: `the path ${quoted(path)} ${reason}`,
    hint: "Rename it: up to 4096 characters, parts in UTF-8, none of them empty, . or ..",
    file: path,
    beneath,
  }
}

/** A path may have megabytes. */
function quoted(path: string): string {
  return JSON.stringify(path.length > SHOWN_CHARACTERS ? `${path.slice(0, SHOWN_CHARACTERS)}…` : path)
}

/** A named pipe, socket or device, which git would not hold either. */
export function specialFileProblem(path: string): TreeProblem {
  return {
    severity: "error",
    code: "git/special-file",
    message: `${path} is neither a file, a folder nor a link`,
    hint: "Remove it, or put a file in its place.",
    file: path,
    beneath: false,
  }
}
