import { AHEAD_REASON, type FailedTarget, readFailedTarget } from "../../record/record.ts"

/**
 * Every failed target after a run, from `namespace/name` to the reason. In place order, after those whose token is larger
 * than the record's (`ahead`): the record may have no room for all, and these decide what the next run does. A target
 * that failed before keeps the time since when. Pure.
 */
export function listFailed(
  before: readonly FailedTarget[],
  found: { failed: ReadonlyMap<string, string>; ahead: readonly string[]; now: number },
): FailedTarget[] {
  const ahead = new Set(found.ahead)
  const earlier = new Map(before.map((one) => [one.target, one.since]))
  const others = [...found.failed].filter(([target]) => !ahead.has(target)).sort()
  return [
    ...[...ahead].sort().map((target) => failure(target, AHEAD_REASON)),
    ...others.map(([target, reason]) => failure(target, reason)),
  ]

  function failure(target: string, reason: string): FailedTarget {
    return readFailedTarget({
      target,
      reason,
      since: earlier.get(target) ?? new Date(found.now).toISOString(),
    })
  }
}
