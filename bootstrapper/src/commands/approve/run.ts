import { approveCommit } from "@headrace/shared/reconcile/operate/hold-source"
import { changeRecords } from "../../cli/change-records.ts"
import type { ClusterSourceOptions } from "../../cli/cluster-source-options.ts"
import { commitDigits, namedCommit } from "../../cli/named-commit.ts"

export interface ApproveOptions extends ClusterSourceOptions {
  commit: string
}

/** Runs `approve`. */
export function runApprove(options: ApproveOptions, signal: AbortSignal): Promise<number> {
  const text = commitDigits(options.commit)
  return changeRecords(options, signal, async (ports) =>
    approveCommit(ports, await namedCommit(ports.repository, text, signal), signal),
  )
}
