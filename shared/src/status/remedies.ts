import type { ErrorMeanings } from "../foundation/errors.ts"
import type { Remedies } from "../foundation/run-program.ts"

/**
 * What docs/reference/errors.md says to do about a code of `shared`, or about one that the program declares itself.
 * The texts of `shared` are loaded when an error needs them: a program that does well never reads them.
 */
export function remediesWith(own: ErrorMeanings = {}): Remedies {
  const ownMeanings = new Map(Object.entries(own))
  return async (code) => {
    const { remedyOfCode } = await import("./remedy-of-code.ts")
    return ownMeanings.get(code)?.remedy ?? remedyOfCode(code)
  }
}
