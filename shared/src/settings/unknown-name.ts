import { suggestion } from "../foundation/closest-word.ts"
import { type ErrorCode, UsageError } from "../foundation/errors.ts"

const CODES = {
  source: "settings/unknown-source",
  cluster: "settings/unknown-cluster",
} as const satisfies Record<string, ErrorCode>

/** The error for a source or cluster that the settings do not list; `known` are those that they do. */
export function unknownName(what: keyof typeof CODES, name: string, known: readonly string[]): UsageError {
  return new UsageError(CODES[what], `the settings have no ${what} ${JSON.stringify(name)}`, {
    hint: known.length > 0 ? suggestion(name, known) : `Add a ${what} to the settings: they have none.`,
  })
}
