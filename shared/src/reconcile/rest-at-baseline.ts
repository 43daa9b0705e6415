import { HeadraceError } from "../foundation/errors.ts"
import { hasIntentAt } from "../record/intents.ts"
import type { SourceRecord } from "../record/record.ts"
import { compareTokens } from "../record/token.ts"
import { type Applied, applyWork } from "./apply-work.ts"
import { isReadable } from "./decide/plan-at.ts"
import { type Work, workAgain } from "./decide/work-out.ts"
import type { RecordState } from "./record/swap-record.ts"
import type { Run } from "./run/run.ts"
import { noteInRecord } from "./stop-source.ts"
import { type KnownFailures, knownFailures } from "./store/known-failures.ts"

/**
 * Shows the baseline while a rollout is under way, or waits: ends a return, tries failed targets again, and in a full run
 * rebuilds it. The view is left alone where it is the candidate's.
 */
export async function restAtBaseline(
  run: Run,
  state: RecordState,
  stopped: SourceRecord["stopped"],
): Promise<Applied> {
  const { record } = state
  const failures = await knownFailures(run.ports, run.memory, record, run.signal)
  const work = await baselineWork(run, record, stopped, failures)
  if (work === undefined) return noteInRecord(run, state, { ...record, stopped }, failures)
  return applyWork(run, state, showsCandidate(record) ? withoutView(work) : work)
}

async function baselineWork(
  run: Run,
  record: SourceRecord,
  stopped: SourceRecord["stopped"],
  failures: KnownFailures,
): Promise<Work | undefined> {
  const { commit, rulesCommit, token } = record
  const hasReturn = record.intents.some((intent) => compareTokens(intent.token, token) <= 0)
  // While the view is the candidate's, so is what failed of it: it is tried again once that is promoted.
  const hasFailed = !showsCandidate(record) && (failures.failed.length > 0 || !failures.complete)
  const isDue = run.request.mode === "full" || hasFailed || hasReturn
  if (!isDue || commit === null) return undefined
  const desired = { commit, rulesCommit, token }
  if (!(await isReadable(run.ports, desired, run.signal))) return undefined
  try {
    return await workAgain(run, record, desired, stopped, failures)
  } catch (error) {
    if (error instanceof HeadraceError && error.code.startsWith("rules/")) return undefined
    throw error
  }
}

/** True when the named ConfigMaps are the candidate's, or on the way to it. */
function showsCandidate(record: SourceRecord): boolean {
  const { candidate } = record
  return candidate !== null && (candidate.view || hasIntentAt(record, candidate.token))
}

function withoutView(work: Work): Work {
  const visit = work.choice.visit.map((planned) => ({ ...planned, view: false }))
  return { ...work, choice: { ...work.choice, visit }, listed: work.failures.failed }
}
