import { type Problem, problemText } from "@headrace/shared/foundation/problem"

/**
 * Prints problems to standard error, a line each, equal lines once (a rule that leads to nine clusters fails
 * nine targets for one reason). Gives the number of errors.
 */
export function printProblems(problems: readonly Problem[]): number {
  const lines = new Set(problems.map(problemText))
  for (const line of lines) process.stderr.write(`${line}\n`)
  return problems.filter((problem) => problem.severity === "error").length
}
