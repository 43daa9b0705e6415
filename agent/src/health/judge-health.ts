import type { Token } from "@headrace/shared/record/record"
import type { CheckResult } from "./run-check.ts"

/** What is checked: one revision of the record, or of another source, as it is shown. */
export interface CheckedRevision {
  /** The projection's name and path, as checks are given them. */
  projection: string
  path: string
  /** The commit, or a digest. */
  revision: string
  token: Token
  /** Of the record's store; null: of another source. */
  root: string | null
  /** True: the record calls it a candidate, so its checks never end. */
  isCandidate: boolean
}

/** What the checks of one revision have found; a check that has not answered yet keeps it from being `passing`. */
export interface HealthState {
  of: CheckedRevision
  checks: "pending" | "passing" | "failing"
  /** Of the first check that fails. */
  problem?: { check: string; message: string; since: string }
  /** By check, such as `http[0]`: true: passes; absent: no answer yet. */
  passes: ReadonlyMap<string, boolean>
}

/** What the runs of one check have come to. */
export interface Found {
  /** Undefined: no answer yet. */
  passes: boolean | undefined
  message: string
  /** ISO time since which it is so. */
  since: string
  /** Runs in a row that failed. */
  failures: number
}

/** What is known of a check after one more run: it fails once so many runs in a row have. Pure. */
export function foundAfter(before: Found | undefined, result: CheckResult, most: number, now: string): Found {
  if (result.outcome === "passed") {
    return { passes: true, message: "", since: before?.passes === true ? before.since : now, failures: 0 }
  }
  if (result.outcome === "silent")
    return { passes: undefined, message: result.message, since: now, failures: 0 }
  const failures = (before?.failures ?? 0) + 1
  const isFailing = failures >= most
  const wasFailing = before?.passes === false
  return {
    passes: isFailing ? false : before?.passes,
    message: result.message,
    since: wasFailing ? before.since : now,
    failures,
  }
}

/** Passing when every check passes; failing when one fails. Pure. */
export function judgeHealth(
  of: CheckedRevision,
  names: readonly string[],
  found: ReadonlyMap<string, Found>,
): HealthState {
  const answered = [...found].flatMap(([name, { passes }]) =>
    passes === undefined ? [] : [[name, passes] as const],
  )
  const passes = new Map(answered)
  const failing = names.find((name) => passes.get(name) === false)
  if (failing !== undefined) {
    const { message = "", since = "" } = found.get(failing) ?? {}
    return { of, checks: "failing", problem: { check: failing, message, since }, passes }
  }
  return { of, checks: names.every((name) => passes.get(name) === true) ? "passing" : "pending", passes }
}
