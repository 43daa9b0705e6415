import { type HeadraceError, hasCode } from "../foundation/errors.ts"
import type { LocatedYaml } from "../foundation/located-yaml.ts"
import type { Problem } from "../foundation/problem.ts"
import type { FileGate } from "../settings/gates.ts"
import { refusal } from "./gate-problem.ts"
import { type Format, readDocuments } from "./read-document.ts"

/** The documents of a file, or why it has none. */
export function parsedOr(
  gate: FileGate,
  file: { path: string; content: Buffer; format: Format },
): { documents: LocatedYaml[] } | { problem: Problem } {
  try {
    return { documents: readDocuments(file.content, file.path, file.format) }
  } catch (error) {
    if (!hasCode(error, "gate/not-parsed")) throw error
    return { problem: notParsed(gate, file.path, error) }
  }
}

function notParsed(gate: FileGate, file: string, { message, fields }: HeadraceError): Problem {
  const { line, column } = fields as { line?: number; column?: number }
  const place = { ...(line === undefined ? {} : { line }), ...(column === undefined ? {} : { column }) }
  return refusal(gate, "gate/not-parsed", message, { file, ...place })
}
