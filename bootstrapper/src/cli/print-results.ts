import { escapeLines } from "@headrace/shared/foundation/escape-text"
import { typedAdvice } from "@headrace/shared/foundation/typed-program"
import { remedyOfCode } from "@headrace/shared/status/remedy-of-code"
import type { ClusterSourceError, ClusterSourceResult } from "./for-each-cluster-source.ts"

/**
 * Prints the results, as JSON (an array: cluster, source, then the result's members or `error`) or as a line
 * each. Gives the exit code: 1 when anything failed.
 */
export function printResults<Result extends object>(
  results: readonly ClusterSourceResult<Result>[],
  output: "json" | "text",
  text: (result: Result) => string,
): number {
  if (output === "json") {
    const values = results.map((one) => {
      const { cluster, source } = one
      return one.ok ? { cluster, source, ...one.result } : { cluster, source, error: one.error }
    })
    process.stdout.write(`${JSON.stringify(values, undefined, 2)}\n`)
  } else {
    for (const one of results)
      process.stdout.write(`${escapeLines(`${one.source} in ${one.cluster}: ${lineOf(one, text)}`)}\n`)
  }
  return results.every((one) => one.ok) ? 0 : 1
}

function lineOf<Result>(one: ClusterSourceResult<Result>, text: (result: Result) => string): string {
  return one.ok ? text(one.result) : resultErrorText(one.error)
}

/** What kept a result from coming, and what to do about it. */
export function resultErrorText({ message, code, hint }: ClusterSourceError): string {
  const advice = typedAdvice(hint ?? remedyOfCode(code) ?? "")
  return `${message} [${code}]${advice ? `\n  ${advice}` : ""}`
}
