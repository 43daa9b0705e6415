import { Minimatch } from "minimatch"

/** A brace pattern may stand for this many plain ones. */
const EXPANSIONS_LIMIT = 1000
const LENGTH_LIMIT = 4096

/**
 * Compiles a glob with the options that come closest to Prow's matcher: hidden files count, and `!`, `#` and
 * `+(` are letters. Throws an Error when the glob is empty or expands to too much.
 */
export function compileGlob(glob: string): Minimatch {
  if (glob === "") throw new Error("it is empty")
  if (glob.length > LENGTH_LIMIT) throw new Error(`it is longer than ${LENGTH_LIMIT} characters`)
  const compiled = new Minimatch(glob, {
    dot: true,
    nonegate: true,
    nocomment: true,
    noext: true,
    platform: "linux",
    // Minimatch cuts silently at its limit: ask for one more to notice.
    braceExpandMax: EXPANSIONS_LIMIT + 1,
  })
  if (compiled.globSet.length > EXPANSIONS_LIMIT) {
    throw new Error(`its braces stand for more than ${EXPANSIONS_LIMIT} patterns`)
  }
  return compiled
}
