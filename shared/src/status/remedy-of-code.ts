import * as modules from "../error-codes.ts"
import { typedAdvice } from "../foundation/typed-program.ts"

const REMEDIES: ReadonlyMap<string, string> = new Map(
  Object.values(modules).flatMap((errors) =>
    Object.entries(errors).map(([code, { remedy }]) => [code, remedy] as const),
  ),
)

/** What docs/reference/errors.md says to do about a code; null: nothing that is known here. */
export function remedyOfCode(code: string | null | undefined): string | null {
  const remedy = code ? REMEDIES.get(code) : undefined
  return remedy === undefined ? null : typedAdvice(remedy)
}
