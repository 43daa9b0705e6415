import type { SourceRecord } from "../../record/record.ts"
import type { Candidate } from "../../record/rollout-state.ts"
import { withinChange } from "../decide/bound-change.ts"
import { chooseTargets } from "../decide/choose-targets.ts"
import { planInForce } from "../decide/known-in-force.ts"
import { planAt, planUnderSettingsOfNow } from "../decide/plan-at.ts"
import { refuseClosed } from "../decide/refuse-closed.ts"
import { waitingTargets, withoutWaiting } from "../decide/waiting-targets.ts"
import { listFailed } from "../record/list-failed.ts"
import { listForeign } from "../record/next-record.ts"
import { openWork } from "../record/open-work.ts"
import type { RecordState } from "../record/swap-record.ts"
import type { Run } from "../run/run.ts"
import { knownFailures } from "../store/known-failures.ts"
import { writeView } from "../write/write-view.ts"

/** The record with the view's intent open, and what its next one says of the targets. */
export interface CandidateView {
  state: RecordState
  found: Pick<SourceRecord, "failed" | "failedMore" | "failures" | "foreign">
}

/**
 * Writes the named ConfigMaps of a candidate, under an intent at its token: a program that dies leaves listed what may be
 * half written, and a return restores it. What it could not restore waits for the promotion, and what is too large for one
 * change waits as in the store. `again`: the record moved on; `changed`: these settings give the candidate another meaning
 * than what is in the store.
 */
export async function writeCandidateView(
  run: Run,
  state: RecordState,
  candidate: Candidate,
): Promise<CandidateView | "again" | "changed"> {
  const { ports, memory, request, signal } = run
  const { record } = state
  const { token, commit, rulesCommit, rules } = candidate
  const desired = { token, commit, rulesCommit }
  const whole = await planAt(ports, memory, request.cluster, desired, signal)
  if (whole.digest !== rules) return "changed"
  const failures = await knownFailures(ports, memory, record, signal)
  const previous = await planInForce(run, record, failures)
  const open = await refuseClosed(run, { root: record.root, whole, previous })
  const plan = withinChange(run, open, previous)
  const waiting = waitingTargets(plan, previous ?? (await planUnderSettingsOfNow(run, record)))
  const choice = withoutWaiting(chooseTargets(plan, previous, record, failures, false), waiting)
  const targets = choice.everything ? ("all" as const) : [...choice.stamp].sort()
  const intent = choice.visit.length === 0 ? undefined : { ...desired, rules, targets }
  const opened = await run.watch.time("record", () => openWork(run, state, intent))
  if (opened === undefined) return "again"
  const view = await run.watch.time("view", () => writeView(run, record, { desired, choice, failures }))
  const now = ports.clock.now()
  const failed = listFailed(failures.failed, {
    failed: new Map([...plan.refused, ...waiting, ...view.failed]),
    ahead: view.ahead,
    now,
  })
  const foreign = listForeign(record.foreign, { foreign: view.foreign, now })
  return { state: opened, found: { failed, failedMore: 0, failures: null, foreign } }
}
