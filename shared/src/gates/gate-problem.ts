import type { ErrorCode } from "../foundation/errors.ts"
import type { Problem } from "../foundation/problem.ts"
import type { FileGate } from "../settings/gates.ts"

/** What a gate is called in messages: its rule and the files that it is for. */
export function gateName({ glob, parse, schema, builtin, exec }: FileGate): string {
  const rule = parse ? `parse: ${parse}` : schema ? `schema: ${schema}` : (builtin ?? `exec: ${exec?.[0]}`)
  return `${rule}, of ${glob}`
}

/** A refusal of a file by a gate. */
export function refusal(
  gate: FileGate,
  code: ErrorCode,
  message: string,
  place: Pick<Problem, "file" | "line" | "column"> & { hint?: string },
): Problem {
  return { severity: "error", code, message: `${message} (gate ${gateName(gate)})`, ...place }
}
