import { hasCode } from "../foundation/errors.ts"
import type { SourceRecord } from "../record/record.ts"
import { type Applied, applyWork, type Done } from "./apply-work.ts"
import { revisionOfIntent } from "./decide/desired-revision.ts"
import { settingsOfRecord } from "./decide/judge-settings.ts"
import { isReadable } from "./decide/plan-at.ts"
import { verifyRevision } from "./decide/verify-revision.ts"
import { type Decision, type Work, workAgain, workBeyond } from "./decide/work-out.ts"
import { sameRecord } from "./record/next-record.ts"
import { type RecordState, swapState } from "./record/swap-record.ts"
import type { DesiredRevision } from "./run/revision.ts"
import type { Run } from "./run/run.ts"
import type { KnownFailures } from "./store/known-failures.ts"

/**
 * Notes in the record why its source is stopped. Last good stays in force; but what an earlier run has
 * begun is ended first, so that the named ConfigMaps do not stay half at one commit and half at another; and
 * failed targets are tried again, and a full run puts back what was edited by hand.
 */
export async function stopSource(
  run: Run,
  state: RecordState,
  { stopped, failures }: Extract<Decision, { kind: "stop" }>,
): Promise<Applied> {
  const lastGood = await lastGoodWork(run, state.record, stopped, failures)
  if (lastGood) return applyWork(run, state, lastGood)
  // Whose settings stop it: programs with older ones must not go on beside them.
  const settings = settingsOfRecord(run.ports.settings) ?? state.record.settings
  return noteInRecord(run, state, { ...state.record, stopped, settings }, failures)
}

/** Swaps the record for one that says why nothing else is done. */
export async function noteInRecord(
  run: Run,
  state: RecordState,
  next: SourceRecord,
  { failed }: KnownFailures,
): Promise<Applied> {
  const nothingDone: Done = { written: 0, foreign: [], failed }
  if (sameRecord(state.record, next)) return { kind: "committed", record: state.record, ...nothingDone }
  const swapped = await swapState(run, state, next)
  return swapped ? { kind: "committed", record: swapped.record, ...nothingDone } : { kind: "again" }
}

async function lastGoodWork(
  run: Run,
  record: SourceRecord,
  stopped: NonNullable<SourceRecord["stopped"]>,
  failures: KnownFailures,
): Promise<Work | undefined> {
  try {
    const beyond = await workBeyond(run, record, stopped, failures)
    if (beyond) return beyond
    const desired = lastGoodRevision(run, record, failures)
    if (desired === undefined || !(await isReadable(run.ports, desired, run.signal))) return undefined
    // An operator's rewind opens its intent before anything has judged the signatures of where it goes.
    await verifyRevision(run.ports, record, desired, run.signal)
    return await workAgain(run, record, desired, stopped, failures)
  } catch (error) {
    if (hasCode(error, "rules/") || hasCode(error, "verify/")) return undefined
    throw error
  }
}

/** The largest open intent; without one what the record shows, when there is something to look at again. */
function lastGoodRevision(
  run: Run,
  record: SourceRecord,
  failures: KnownFailures,
): DesiredRevision | undefined {
  const intent = record.intents.at(-1)
  if (intent) return revisionOfIntent(intent)
  const { commit, rulesCommit, token } = record
  if (commit === null) return undefined
  const again = run.request.mode === "full" || failures.failed.length > 0 || !failures.complete
  return again ? { commit, rulesCommit, token } : undefined
}
