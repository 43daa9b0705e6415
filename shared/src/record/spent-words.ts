import { holdInForce } from "./goal.ts"
import type { JudgedRevision, SourceRecord } from "./record.ts"

/**
 * True when an approval is used up by a revision: its commit, under its rules. An approval of an earlier version names no
 * rules, and is used up by its commit.
 */
export function isUsedUp(
  approved: JudgedRevision,
  by: { commit: string | null; rulesCommit: string | null; rules: string | null },
): boolean {
  if (approved.commit !== by.commit) return false
  return approved.rules === null || (approved.rulesCommit === by.rulesCommit && approved.rules === by.rules)
}

/**
 * True when a record keeps an operator's word that has had its effect at `now` (milliseconds since 1970): a hold whose
 * time is over, or an approval of what is shown. The next run clears it, so that no rebuild has to.
 */
export function keepsSpentWord(record: SourceRecord, now: number): boolean {
  const { hold, approved } = record
  if (hold !== null && !holdInForce(hold, now)) return true
  return approved !== null && isUsedUp(approved, record)
}
