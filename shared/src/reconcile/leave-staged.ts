import type { SourceRecord } from "../record/record.ts"
import type { RecordState } from "./record/swap-record.ts"
import type { ReconcileOutcome } from "./run/ports.ts"
import type { Run } from "./run/run.ts"
import { outcome } from "./to-goal.ts"

/** True for a record that only a program with the same stages may change. */
export function isStaged({ candidate, rejected }: SourceRecord): boolean {
  return candidate !== null || rejected !== null
}

/** Changes nothing in a record of another policy, and reports why. */
export function leaveStaged(run: Run, { record }: RecordState): ReconcileOutcome {
  const { request, ports } = run
  const what = record.candidate
    ? `commit ${record.candidate.commit} is being rolled out`
    : "a commit was rejected"
  const message = `source ${request.source} in cluster ${request.cluster}: ${what}, and these settings have not its stages`
  ports.log.error(
    { cluster: request.cluster },
    "these settings have not the stages of the record; nothing is changed",
  )
  const stopped = {
    code: "rollout/other-policy",
    message,
    commit: record.candidate?.commit ?? record.commit ?? "",
  }
  return { ...outcome(run, "stopped", record, { written: 0, foreign: [], failed: record.failed }), stopped }
}
