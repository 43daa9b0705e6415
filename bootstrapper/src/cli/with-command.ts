import { type HeadraceError, restated } from "@headrace/shared/foundation/errors"
import { remedyOfCode } from "@headrace/shared/status/remedy-of-code"

/** The same error, with a command to type below its hint. */
export function withCommand(error: HeadraceError, command: string): HeadraceError {
  const advice = error.hint ?? remedyOfCode(error.code)
  return restated(error, { hint: [advice ?? "Type this:", `→ ${command}`].join("\n  ") })
}
