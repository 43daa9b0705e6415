import { approveCommit } from "@headrace/shared/reconcile/operate/hold-source"
import { type ChangeRecordsOptions, changeRecords } from "../../cli/change-records.ts"
import { commitDigits, namedCommit } from "../../cli/named-commit.ts"

export interface ApproveOptions extends ChangeRecordsOptions {
  commit: string
}

/** Runs `approve`. */
export function runApprove(options: ApproveOptions, signal: AbortSignal): Promise<number> {
  const text = commitDigits(options.commit)
  return changeRecords(
    options,
    signal,
    async (ports) => approveCommit(ports, await namedCommit(ports.repository, text, signal), signal),
    { git: true },
  )
}
