import { goal, holdInForce } from "@headrace/shared/record/goal"
import type { SourceRecord } from "@headrace/shared/record/record"

/** The tips that a poll has seen; `rules`: of the source that the rules come from, undefined where it is not known. */
export interface SeenTips {
  commit: string
  rules: string | undefined
}

/**
 * True when a record does not show what it is to show, and nothing keeps it from that: another commit, other rules of the
 * source that they come from, or work that was begun and not ended. A source that stopped at this very goal waits for an
 * operator, or another commit. `now`: milliseconds since 1970. Pure.
 */
export function isBehind(record: SourceRecord, tips: SeenTips, now: number): boolean {
  const { hold, stopped, intents } = record
  const commit = goal(tips.commit, hold, now)
  if (record.commit !== commit) return stopped?.commit !== commit
  if (stopped !== null) return false
  const held = hold !== null && holdInForce(hold, now) ? hold.rulesCommit : null
  const rules = held ?? tips.rules
  const hasOtherRules = record.rulesCommit !== null && rules !== undefined && record.rulesCommit !== rules
  return hasOtherRules || intents.length > 0
}
