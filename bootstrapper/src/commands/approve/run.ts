import { approveCommit } from "@headrace/shared/reconcile/operate/hold-source"
import { changeRecords } from "../../cli/change-records.ts"
import type { ClusterSourceOptions } from "../../cli/cluster-source-options.ts"
import { fullCommitId } from "../../cli/full-commit-id.ts"

export interface ApproveOptions extends ClusterSourceOptions {
  commit: string
}

/** Runs `approve`. */
export function runApprove(options: ApproveOptions, signal: AbortSignal): Promise<number> {
  const commit = fullCommitId(options.commit)
  return changeRecords(options, signal, (ports) => approveCommit(ports, commit, signal))
}
