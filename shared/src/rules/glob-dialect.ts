import type { ErrorCode } from "../foundation/errors.ts"

/** A way in which Prow's matcher reads a glob otherwise than ours. */
export interface GlobDifference {
  code: ErrorCode
  message: string
  hint: string
}

interface Difference extends GlobDifference {
  isIn(glob: string): boolean
}

/**
 * Where Prow's matcher (go-zglob 0.0.2) and minimatch with our options give different verdicts, found by running
 * both over the pairs of the test beside this file. Zglob compares a glob without `*` as plain text, knows no `?`,
 * `[` or `\`, keeps everything inside braces literal, cleans the glob as a path, and lets a `**` before a slash cross folders from the
 * middle of a name.
 */
const DIFFERENCES: readonly Difference[] = [
  {
    code: "rules/glob-whole-tree",
    isIn: (glob) => glob === "*" || glob === "**" || glob === "**/*",
    message: 'Prow skips names of one character here, and "**" alone takes only the top folder',
    hint: "Check with diff which files are added.",
  },
  {
    code: "rules/glob-trailing-globstar",
    isIn: (glob) => glob.endsWith("/**"),
    message: 'a "**" at the end takes all folders beneath here, only one level in Prow',
    hint: 'Write "/*" for one level, "/**/*" for all.',
  },
  {
    code: "rules/glob-inner-globstar",
    isIn: (glob) => /[^/*]\*\*+\//.test(glob),
    message: 'a "**/" in the middle of a name crosses folders in Prow, not here',
    hint: 'Put a "/" before the "**".',
  },
  {
    code: "rules/glob-plain-braces",
    isIn: (glob) => /\{[^}]*(,|\.\.)[^}]*\}/.test(glob) && !glob.includes("*"),
    message: 'braces without any "*" are plain text in Prow, alternatives here',
    hint: "Write one rule per file for both.",
  },
  {
    code: "rules/glob-braces-inside",
    isIn: (glob) => /\{[^}]*[*{][^}]*\}/.test(glob) && glob.includes("*"),
    message: '"*" and braces inside braces are plain text in Prow, and work here',
    hint: "Write the alternatives as rules of their own for both.",
  },
  {
    code: "rules/glob-brace-range",
    isIn: (glob) => /\{-?\w+\.\.-?\w+(\.\.-?\d+)?\}/.test(glob) && glob.includes("*"),
    message: "a range in braces is plain text in Prow, and counts here",
    hint: "Write the alternatives with commas for both.",
  },
  {
    code: "rules/glob-single-brace",
    isIn: (glob) => /\{[^,{}]*\}/.test(glob) && !/\{[^,{}]*\.\.[^,{}]*\}/.test(glob) && glob.includes("*"),
    message: "braces around a single choice are dropped in Prow, plain text here",
    hint: "Leave the braces out.",
  },
  {
    code: "rules/glob-special-character",
    isIn: (glob) => /[?\\]|\[[^\]]+\]/.test(glob),
    message: '"?", "[…]" and "\\" are plain text in Prow, and special here',
    hint: 'Write "*" for both, or rename the files.',
  },
  {
    code: "rules/glob-relative-path",
    isIn: (glob) => /(^|\/)\.{1,2}(\/|$)/.test(glob) || glob.endsWith("/"),
    message: 'Prow drops "." parts and a "/" at the end; here they keep the glob from matching any file',
    hint: "Write the path from the top of the repository, without them.",
  },
  {
    code: "rules/glob-leading-slash",
    isIn: (glob) => glob.startsWith("/"),
    message: 'a glob that begins with "/" matches no file, in Prow neither',
    hint: 'Leave out the "/" at the beginning.',
  },
  {
    code: "rules/glob-environment",
    isIn: (glob) => /(^|\/)(~|\$\w)/.test(glob),
    message: 'Prow puts in the environment for "~" and "$NAME"; here they are plain text',
    hint: "Write the folder's name out.",
  },
]

/** How Prow might read this glob otherwise; empty when both agree on every path of a repository. */
export function globDifferences(glob: string): GlobDifference[] {
  return DIFFERENCES.filter(({ isIn }) => isIn(glob)).map(({ code, message, hint }) => ({
    code,
    message,
    hint,
  }))
}
