import { isBegun, largestToken } from "../../record/intents.ts"
import type { SourceRecord } from "../../record/record.ts"
import { compareTokens } from "../../record/token.ts"
import type { DesiredRevision } from "../run/revision.ts"
import type { Run } from "../run/run.ts"
import { diverged, isOnward, mayFollowRewrite, type Tips } from "./desired-revision.ts"
import type { Survey } from "./survey-targets.ts"

/** True when the record was found to be older than what its targets carry: an earlier one, put back. */
export function isBehindTargets(record: SourceRecord): boolean {
  return record.failed.some(({ ahead }) => ahead === true)
}

/**
 * The desired revision, once the targets were read because the record does not tell what they hold. Where the record
 * was lost (a new one knows nothing of what the targets show) it must contain their newest commit as it must contain
 * the record's, unless an operator has rewound since. Where targets carry a larger token than the record knows
 * of (an earlier record was put back, or the clock that gave its epoch) it takes an epoch beyond them. A record that
 * shows a commit decides alone which commits must be contained: a stamp on one target must not stop the source.
 *
 * Throws `git/diverged`.
 */
export async function desiredAfterSurvey(
  run: Run,
  tips: Tips,
  record: SourceRecord,
  desired: DesiredRevision,
  survey: Survey,
): Promise<DesiredRevision> {
  const { newest } = survey
  if (newest === undefined) return desired
  const isAhead = compareTokens(newest.token, largestToken(record)) > 0
  if (!isAhead && record.commit !== null) return desired
  const mayLeave =
    record.commit !== null || isBegun(record, desired) || mayFollowRewrite(run.ports, tips, record)
  if (!mayLeave && !(await isOnward(run.ports, desired, newest, run.signal))) {
    throw diverged(desired.commit, `${newest.commit}, which targets hold`)
  }
  if (!isAhead) return desired
  const epoch = Math.max(newest.token.epoch + 1, Math.floor(run.ports.clock.now()))
  return { ...desired, token: { ...desired.token, epoch } }
}
