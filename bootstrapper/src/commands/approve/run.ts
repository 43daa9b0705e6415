import { approveGate } from "@headrace/shared/reconcile/operate/approve-gate"
import { approveCommit } from "@headrace/shared/reconcile/operate/hold-source"
import { type ChangeRecordsOptions, changeRecords } from "../../cli/change-records.ts"
import { commitDigits, namedCommit } from "../../cli/named-commit.ts"

export interface ApproveOptions extends ChangeRecordsOptions {
  commit: string
  gate?: boolean
}

/** Runs `approve`. */
export function runApprove(options: ApproveOptions, signal: AbortSignal): Promise<number> {
  const text = commitDigits(options.commit)
  const approve = options.gate === true ? approveGate : approveCommit
  return changeRecords(
    options,
    signal,
    async (ports) => approve(ports, await namedCommit(ports.repository, text, signal), signal),
    { git: true },
  )
}
