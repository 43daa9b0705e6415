import type { SourceRecord } from "../../record/record.ts"
import { compareTokens } from "../../record/token.ts"
import type { DesiredRevision } from "../run/revision.ts"
import type { Run } from "../run/run.ts"
import {
  desiredAt,
  desiredInNewEpoch,
  diverged,
  goalAt,
  mayFollowRewrite,
  type Tips,
} from "./desired-revision.ts"
import { rulesDigestAt } from "./plan-at.ts"

/**
 * The desired revision at these tips; in a new epoch where its token would not show that it is newer than what was shown or
 * begun. Throws `git/diverged` where only an operator may say so.
 */
export async function desiredOrNewEpoch(
  run: Run,
  tips: Tips,
  record: SourceRecord,
): Promise<DesiredRevision> {
  const { ports, memory, signal } = run
  const found = await desiredAt(ports, tips, record, signal)
  if ("desired" in found) {
    const { desired } = found
    const rules = await rulesDigestAt(ports, memory, desired, signal)
    return isUnderOtherRules(record, desired, rules)
      ? desiredInNewEpoch(ports, tips, record, signal)
      : desired
  }
  if (mayFollowRewrite(ports, tips, record) || isBaselineOfLost(run, record))
    return desiredInNewEpoch(ports, tips, record, signal)
  throw diverged(goalAt(tips, record).commit, found.leaves)
}

/**
 * With stages a lost record begins with what other clusters or its targets show, and with no branch (roll-out.ts): what was
 * begun there before, such as an operator's rewind that a gate refused, may be none of its ancestors.
 */
function isBaselineOfLost({ ports }: Run, { commit, hold }: SourceRecord): boolean {
  return ports.rollout !== undefined && commit === null && hold === null
}

/**
 * True when something was shown or begun at this token under other rules or settings. The token does not show which of
 * the two is newer, and a writer that wakes up late with the older ones would not be refused: a new epoch does it.
 */
function isUnderOtherRules(record: SourceRecord, desired: DesiredRevision, rules: string): boolean {
  if (compareTokens(record.token, desired.token) === 0 && record.rules !== null && record.rules !== rules)
    return true
  return record.intents.some(
    (intent) =>
      compareTokens(intent.token, desired.token) === 0 && intent.targets.length > 0 && intent.rules !== rules,
  )
}
