import type { SourceRecord } from "../record/record.ts"
import { type Applied, applyWork, type Done } from "./apply-work.ts"
import type { Tips } from "./decide/desired-revision.ts"
import { type Decision, workOut } from "./decide/work-out.ts"
import { judgeInForceAgain } from "./record/judge-in-force.ts"
import type { RecordState } from "./record/swap-record.ts"
import type { ReconcileOutcome } from "./run/ports.ts"
import type { Run } from "./run/run.ts"
import { noteInRecord, stopSource } from "./stop-source.ts"

/** Brings the cluster to the goal at these tips, whole; undefined: the record moved under us, begin again. */
export async function toGoal(
  run: Run,
  found: RecordState,
  tips: Tips,
): Promise<ReconcileOutcome | undefined> {
  const state = await judgeInForceAgain(run, found, run.request.mode === "full")
  if (state === undefined) return undefined
  const decision = await run.watch.time("plan", () => workOut(run, tips, state.record))
  if (decision.kind === "noop") {
    const { failed } = decision.failures
    return outcome(run, "noop", state.record, { written: 0, foreign: [], failed })
  }
  const applied = await act(run, state, decision)
  if (applied.kind === "again") return undefined
  const result = outcome(run, resultOf(decision, applied, state), applied.record, applied)
  return decision.kind === "refuse" ? { ...result, stopped: decision.stopped } : result
}

function act(run: Run, state: RecordState, decision: Exclude<Decision, { kind: "noop" }>): Promise<Applied> {
  if (decision.kind === "work") return applyWork(run, state, decision.work)
  if (decision.kind === "refuse") return noteInRecord(run, state, decision.next, decision.failures)
  return stopSource(run, state, decision)
}

function resultOf(
  decision: Decision,
  applied: Exclude<Applied, { kind: "again" }>,
  before: RecordState,
): ReconcileOutcome["result"] {
  if (applied.kind === "superseded") return "superseded"
  if (decision.kind !== "work") return "stopped"
  return applied.written === 0 && applied.record === before.record ? "noop" : "applied"
}

/** What a run has done, as its caller hears of it. */
export function outcome(
  run: Run,
  result: ReconcileOutcome["result"],
  record: SourceRecord,
  { written, foreign, failed }: Done,
): ReconcileOutcome {
  return {
    result,
    record,
    commit: record.commit,
    token: record.token,
    stopped: record.stopped,
    heldUntil: record.hold?.until ?? null,
    written,
    failed,
    foreign,
    stages: run.watch.stages,
  }
}
