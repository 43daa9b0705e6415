import { HeadraceError } from "../foundation/errors.ts"
import type { SourceRecord } from "../record/record.ts"
import { type Applied, applyWork, type Done } from "./apply-work.ts"
import { revisionOfIntent } from "./decide/desired-revision.ts"
import { type Decision, type Work, workAgain } from "./decide/work-out.ts"
import { sameRecord } from "./record/commit-record.ts"
import { type RecordState, swapState } from "./record/record-state.ts"
import type { DesiredRevision } from "./run/revision.ts"
import type { Run } from "./run/run.ts"

const NOTHING_DONE: Done = { written: 0, foreign: [] }

/**
 * Notes in the record why its source stands still. Last good stays in force; but what an earlier run has
 * begun is ended first, so that the named ConfigMaps do not stay half at one commit and half at another; and
 * failed targets are tried again, and a full run puts back what was edited by hand.
 */
export async function stopSource(
  run: Run,
  state: RecordState,
  { stopped }: Extract<Decision, { kind: "stop" }>,
): Promise<Applied> {
  const lastGood = await lastGoodWork(run, state.record, stopped)
  if (lastGood) return applyWork(run, state, lastGood)
  const next = { ...state.record, stopped }
  if (sameRecord(state.record, next)) return { kind: "committed", record: state.record, ...NOTHING_DONE }
  const swapped = await swapState(run, state, next)
  return swapped ? { kind: "committed", record: swapped.record, ...NOTHING_DONE } : { kind: "again" }
}

async function lastGoodWork(
  run: Run,
  record: SourceRecord,
  stopped: NonNullable<SourceRecord["stopped"]>,
): Promise<Work | undefined> {
  const desired = lastGoodRevision(run, record)
  if (desired === undefined) return undefined
  if ((await run.ports.repository.seqOf(desired.commit, run.signal)) === undefined) return undefined
  try {
    const work = await workAgain(run, record, desired, stopped)
    // What is shown is not written again where other settings give it another meaning: nobody has judged that.
    return work.inForce || record.intents.length > 0 ? work : undefined
  } catch (error) {
    if (error instanceof HeadraceError && error.code.startsWith("rules/")) return undefined
    throw error
  }
}

/** The largest open intent; without one what the record shows, when there is something to look at again. */
function lastGoodRevision(run: Run, record: SourceRecord): DesiredRevision | undefined {
  const intent = record.intents.at(-1)
  if (intent) return revisionOfIntent(intent)
  const { commit, rulesCommit, token, failed, failedMore } = record
  if (commit === null) return undefined
  const again = run.request.mode === "full" || failed.length > 0 || failedMore > 0
  return again ? { commit, rulesCommit, token } : undefined
}
