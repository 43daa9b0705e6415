import { type GuardLimits, type PastDeletions, withinWindow } from "../../gates/guard/judge-change.ts"
import { pastAfterHold } from "../../gates/guard/past-deletions.ts"
import { holdInForce } from "../../record/goal.ts"
import type { SourceRecord } from "../../record/record.ts"

/**
 * The past deletions of a record as they count at `now`, and the time to judge them at, both in milliseconds since 1970.
 * No time passes for the guard's window while the guard has the source stopped, and none while a hold keeps it where it
 * is: waiting approves nothing (docs/decisions/056). Pure.
 */
export function countedDeletions(
  { deletions, hold, stopped }: SourceRecord,
  now: number,
): { past: PastDeletions[]; at: number } {
  const at = stopped?.judged ? Math.min(now, Date.parse(stopped.judged.since)) : now
  if (hold === null) return { past: [...deletions], at }
  const end = holdInForce(hold, now) || hold.until === null ? now : Date.parse(hold.until)
  return { past: pastAfterHold(deletions, end), at }
}

/** The past deletions that a hold which begins at `now` keeps: those that count then. Pure. */
export function deletionsAtHold(
  record: SourceRecord,
  guard: GuardLimits | "off",
  now: number,
): PastDeletions[] {
  const { hold, deletions } = record
  if (guard === "off" || (hold !== null && holdInForce(hold, now))) return deletions
  const { past, at } = countedDeletions(record, now)
  return withinWindow(past, guard, at)
}
