import type { CheckedEndpoint } from "./judge-stage.ts"
import { type CheckAnswer, checkName, type PolicyCheck } from "./policy-checks.ts"

/** What one process has been answered by a policy's checks. Losing it costs time alone. */
export interface WatchedChecks {
  /** What they were asked about: no answer counts for another stage or candidate. */
  key: string
  /** In the policy's order. */
  checks: readonly WatchedCheck[]
}

/** The last answer of one check. */
export interface WatchedCheck {
  /** Milliseconds at which it was asked. */
  at: number
  /** True: it was asked after the bake time was over. */
  baked: boolean
  answer: CheckAnswer
}

/**
 * True when a check has to be asked again: its time has come, or the bake time is over and no answer is from after that.
 * A clock that was set back makes it due. Pure.
 */
export function isDue(
  { every }: PolicyCheck,
  last: WatchedCheck | undefined,
  { now, baked }: { now: number; baked: boolean },
): boolean {
  if (last === undefined || (baked && !last.baked)) return true
  return Math.abs(now - last.at) >= every
}

/** What a stage is judged by. Pure. */
export function checkedEndpoint(check: PolicyCheck, { answer, baked }: WatchedCheck): CheckedEndpoint {
  const name = checkName(check)
  return answer.passes
    ? { name, state: "passing", why: "", confirmed: baked }
    : { name, state: "failing", why: answer.why, confirmed: false }
}
