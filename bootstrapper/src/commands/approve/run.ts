import { approveGate } from "@headrace/shared/reconcile/operate/approve-gate"
import { approveCommit, approveUnverified } from "@headrace/shared/reconcile/operate/hold-source"
import { type ChangeRecordsOptions, changeRecords } from "../../cli/change-records.ts"
import { commitDigits, namedCommit } from "../../cli/named-commit.ts"

export interface ApproveOptions extends ChangeRecordsOptions {
  commit: string
  gate?: boolean
  unverified?: boolean
}

/** Runs `approve`. */
export function runApprove(options: ApproveOptions, signal: AbortSignal): Promise<number> {
  const text = commitDigits(options.commit)
  const approve = approvalFor(options)
  return changeRecords(
    options,
    signal,
    async (ports) => approve(ports, await namedCommit(ports.repository, text, signal), signal),
    { git: true },
  )
}

function approvalFor({ gate, unverified }: ApproveOptions): typeof approveCommit {
  if (gate === true) return approveGate
  return unverified === true ? approveUnverified : approveCommit
}
