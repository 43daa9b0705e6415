import { isBegun, largestToken } from "../../record/intents.ts"
import type { Record } from "../../record/record.ts"
import { compareTokens } from "../../record/token.ts"
import type { Aim } from "../run/revision.ts"
import type { Run } from "../run/run.ts"
import { diverged, isOnward, mayFollowRewrite, type Tips } from "./desired-revision.ts"
import type { Survey } from "./survey-targets.ts"

/** True when the record was found to be older than what its targets carry: an earlier one, put back. */
export function isBehindTargets(record: Record): boolean {
  return record.failed.some(({ ahead }) => ahead === true)
}

/**
 * The aim, once the targets were read because the record does not tell what they hold. Where the record was lost
 * (a new one knows nothing of what the targets show) the aim must contain their newest commit as it must contain
 * the record's, unless an operator has rewound since. Where targets carry a larger token than the record knows
 * of (an earlier record was put back, or the clock that gave its epoch) it takes an epoch beyond them.
 *
 * Throws `git/diverged`.
 */
export async function aimOverTargets(
  run: Run,
  tips: Tips,
  record: Record,
  aim: Aim,
  survey: Survey,
): Promise<Aim> {
  const { newest } = survey
  if (newest === undefined) return aim
  const isAhead = compareTokens(newest.token, largestToken(record)) > 0
  if (!isAhead && record.commit !== null) return aim
  const mayLeave = isBegun(record, aim) || mayFollowRewrite(run.ports, tips, record)
  if (!mayLeave && !(await isOnward(run.ports, aim, newest, run.signal))) {
    throw diverged(aim.commit, `${newest.commit}, which targets hold`)
  }
  if (!isAhead) return aim
  const epoch = Math.max(newest.token.epoch + 1, Math.floor(run.ports.clock.now()))
  return { ...aim, token: { ...aim.token, epoch } }
}
