import type { ErrorCode } from "./errors.ts"
import { escapeLine } from "./escape-text.ts"
import type { TargetId } from "./target.ts"

/** Something wrong, or worth a look, in what a user wrote: the unit of `check`, and of every parser's complaint. */
export interface Problem {
  severity: "error" | "warning"
  /** Stable, `area/what`. */
  code: ErrorCode
  /** Names the thing: one sentence, no position in it. */
  message: string
  /** What to do about it, when it is not plain from the message. */
  hint?: string
  /** Path of the file at fault, and where in it; line and column count from 1. */
  file?: string
  line?: number
  column?: number
  /** The ConfigMap concerned. */
  target?: TargetId
  /** Of several files for one key: the key, and their paths in order; the last is written. */
  collision?: { key: string; paths: readonly string[] }
  /** How many files are in no ConfigMap because of it. */
  lost?: number
}

/** `file:line:column: severity: message (hint)`, as compilers print it: one line, whatever a repository named. */
export function problemText(problem: Problem): string {
  const place = [problem.file, problem.line, problem.column].filter((part) => part !== undefined).join(":")
  const hint = problem.hint ? ` (${problem.hint})` : ""
  return escapeLine(
    `${place ? `${place}: ` : ""}${problem.severity}: ${problem.message}${hint} [${problem.code}]`,
  )
}
