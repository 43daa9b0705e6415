import { HeadraceError } from "@headrace/shared/foundation/errors"
import { compareTokens, tokenText } from "@headrace/shared/record/token"
import {
  baselineOf,
  candidateOf,
  isSameRevision,
  type RecordRevision,
  withCandidate,
} from "../assemble/followed-record.ts"
import type { Inputs } from "../assemble/inputs.ts"
import type { HealthState } from "../health/judge-health.ts"
import type { OpenProjection } from "../publish/open-projection.ts"

/** One revision to show on the way to what the record wants of this node. */
export interface ShowStep {
  inputs: Inputs
  /** The record's revision that it shows; undefined: the record says none. */
  revision: RecordRevision | undefined
  isCandidate: boolean
  /** Of a candidate that was not shown yet: the baseline, which is kept to go back to. */
  trial?: RecordRevision
  /** Of the baseline, when a candidate gives way to it that is not to be shown again. */
  returns?: RecordRevision
}

type TrialFolder = Pick<
  OpenProjection,
  "floor" | "returned" | "baseline" | "returnToBaseline" | "endTrial" | "current" | "examine"
>

/**
 * Works out what a projection is to show of a record, in order; nothing: what it shows stays. A node that takes the
 * candidate shows the baseline first, so that it has something to go back to. One that shows the candidate already stays
 * there, whatever the choice says now: only a new epoch leads back. A candidate whose check fails gives way to the baseline
 * here, durably, and is not shown again while the record calls it one.
 *
 * `takes` is the choice of this node; `health` what its checks found of what it shows. Throws what the disk throws.
 */
export async function showSteps(
  folder: TrialFolder,
  inputs: Inputs,
  { takes, health }: { takes: boolean; health: HealthState | undefined },
): Promise<ShowStep[]> {
  const { record, recordOrigin } = inputs
  const baseline = record && baselineOf(record)
  const candidate = record && candidateOf(record)
  const plain: ShowStep = { inputs, revision: baseline, isCandidate: false }
  if (candidate === undefined || baseline === undefined) {
    // Before a record was read, what an earlier run noted holds.
    if (record !== undefined && (folder.baseline() ?? folder.returned()) !== null) await folder.endTrial()
    return [plain]
  }
  if (isFailing(health, candidate)) await giveWay(folder, candidate, health)
  const returned = folder.returned()
  if (isSameRevision(returned, candidate)) {
    return (await isAtBaseline(folder)) ? [] : [{ ...plain, returns: baseline }]
  }
  if (returned !== null) await folder.endTrial()
  const trying: ShowStep = { inputs: withCandidate(inputs), revision: candidate, isCandidate: true }
  const isTried = compareTokens(folder.floor(recordOrigin), candidate.token) >= 0
  if (isTried) return [trying]
  return takes ? [plain, { ...trying, trial: baseline }] : [plain]
}

/** True when what a candidate gave way to is shown, whole. */
async function isAtBaseline(folder: TrialFolder): Promise<boolean> {
  return folder.returned()?.number === folder.current()?.number && (await folder.examine()) === "right"
}

function isFailing(health: HealthState | undefined, candidate: RecordRevision): health is HealthState {
  if (health?.checks !== "failing" || health.of.root === null) return false
  return isSameRevision({ token: health.of.token, root: health.of.root }, candidate)
}

async function giveWay(
  folder: TrialFolder,
  candidate: RecordRevision,
  { problem }: HealthState,
): Promise<void> {
  if (isSameRevision(folder.returned(), candidate)) return
  const reason = problem === undefined ? "a check failed" : `${problem.check}: ${problem.message}`
  await folder.returnToBaseline({ ...candidate, reason })
}

/** What says something of the revision itself, and would say it again: a hook's veto, files that cannot be shown together. */
const REFUSALS = ["projection/vetoed", "projection/same-name", "projection/same-path", "publish/bad-path"]

/** True for an error that is a verdict of the revision, and none of the way to it. */
export function isRefusal(error: unknown): boolean {
  return error instanceof HeadraceError && REFUSALS.includes(error.code)
}

/** Why a projection shows the baseline and not the candidate, for people. */
export function returnedText({ token, reason }: { token: RecordRevision["token"]; reason: string }): string {
  return `the candidate at ${tokenText(token)} failed its check (${reason}); the revision before is shown until the record names another one`
}
