import { HeadraceError, UsageError } from "@headrace/shared/foundation/errors"
import { remedyOfCode } from "@headrace/shared/status/remedy-of-code"

/** The same error, with a command to type below its hint. */
export function withCommand(error: HeadraceError, command: string): HeadraceError {
  const advice = error.hint ?? remedyOfCode(error.code)
  const hint = [advice ?? "Type this:", `→ ${command}`].join("\n  ")
  const detail = { hint, fields: error.fields, cause: error.cause }
  const Same = error instanceof UsageError ? UsageError : HeadraceError
  return new Same(error.code, error.message, detail)
}
