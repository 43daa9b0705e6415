import { escapeLine } from "@headrace/shared/foundation/escape-text"
import { createLog, type Log } from "@headrace/shared/observe/log"

/** What a log line says itself, in a sentence; the rest are its fields. */
const SAID = ["level", "time", "component", "msg"]

/**
 * The log of a command, on standard error: sentences on a terminal, JSON lines elsewhere, for the programs that collect
 * them. `level` is `trace` to `fatal`, or `silent`.
 */
export function commandLog(level: string): Log {
  const destination = process.stderr.isTTY
    ? { write: (line: string) => void process.stderr.write(`${logSentence(line)}\n`) }
    : process.stderr
  return createLog("bootstrapper", { level, destination })
}

/** `warning: target not written (target ci/jobs; Kubernetes refuses it)`, of a line of JSON; no stack traces. */
export function logSentence(line: string): string {
  const fields = JSON.parse(line) as Record<string, unknown>
  const level = fields.level === "warn" ? "warning" : String(fields.level)
  const rest = Object.entries(fields).flatMap(([name, value]) =>
    SAID.includes(name) || value === undefined ? [] : [fieldText(name, value)],
  )
  return escapeLine(`${level}: ${fields.msg}${rest.length > 0 ? ` (${rest.join("; ")})` : ""}`)
}

function fieldText(name: string, value: unknown): string {
  if (name === "err") return errorOf(value)
  return `${name} ${typeof value === "object" ? JSON.stringify(value) : String(value)}`
}

/** Pino writes an error as an object with its message and stack. */
function errorOf(value: unknown): string {
  if (typeof value !== "object" || value === null || !("message" in value)) return String(value)
  return String(value.message)
}
