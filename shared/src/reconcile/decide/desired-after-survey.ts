import { isOpen, largestToken } from "../../record/intents.ts"
import type { SourceRecord, Token } from "../../record/record.ts"
import { compareTokens } from "../../record/token.ts"
import type { DesiredRevision } from "../run/revision.ts"
import type { Run } from "../run/run.ts"
import { diverged, isOnward, mayFollowRewrite, type Tips } from "./desired-revision.ts"
import type { Survey } from "./survey-targets.ts"

/** True when the record was found to be older than what was in force: an earlier one, put back. */
export function isPutBack(run: Run, record: SourceRecord): boolean {
  return run.beyond !== undefined || record.failed.some(({ ahead }) => ahead === true)
}

/**
 * The desired revision, once the targets were read because the record does not show what they hold. Where the record
 * was lost (a new one knows nothing of what the targets show) it must contain their newest commit as it must contain
 * the record's, unless an operator has rewound since. Where targets carry a larger token than the record knows
 * of, or one was in force (an earlier record was put back, or the clock that gave its epoch) it takes an epoch beyond. A record that
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
  const isAhead = newest !== undefined && compareTokens(newest.token, largestToken(record)) > 0
  if (newest !== undefined && record.commit === null) {
    const mayLeave = isOpen(record, desired) || mayFollowRewrite(run.ports, tips, record)
    if (!mayLeave && !(await isOnward(run.ports, desired, newest, run.signal))) {
      throw diverged(desired.commit, `${newest.commit}, which targets hold`)
    }
  }
  const passed = [run.beyond, isAhead ? newest.token : undefined].filter((token) => token !== undefined)
  return passed.length === 0 ? desired : beyondAll(run, desired, passed)
}

/** A revision in an epoch beyond those that were in force, at least the clock's. */
export function beyondAll(
  { ports }: Run,
  desired: DesiredRevision,
  passed: readonly Token[],
): DesiredRevision {
  const beyond = Math.max(...passed.map(({ epoch }) => epoch + 1))
  const epoch = Math.max(beyond, desired.token.epoch, Math.floor(ports.clock.now()))
  return { ...desired, token: { ...desired.token, epoch } }
}
