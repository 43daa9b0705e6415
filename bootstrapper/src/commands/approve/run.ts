import {
  approveCommit,
  approveGate,
  approveUnverified,
} from "@headrace/shared/reconcile/operate/approve-commit"
import { changeRecord } from "@headrace/shared/reconcile/record/change-record"
import { liftRejection } from "@headrace/shared/rollout/words"
import { type ChangeRecordsOptions, changeRecords } from "../../cli/change-records.ts"
import { commitDigits, namedCommit } from "../../cli/named-commit.ts"

export interface ApproveOptions extends ChangeRecordsOptions {
  commit: string
  gate?: boolean
  unverified?: boolean
  rejection?: boolean
}

/** Runs `approve`. */
export function runApprove(options: ApproveOptions, signal: AbortSignal): Promise<number> {
  const text = commitDigits(options.commit)
  const approve = approvalFor(options)
  return changeRecords(
    options,
    signal,
    async (ports) => {
      const commit = await namedCommit(ports.repository, text, signal)
      if (!options.rejection) return approve(ports, commit, signal)
      return changeRecord(ports, (record) => liftRejection(record, commit), signal)
    },
    { git: true },
  )
}

function approvalFor({ gate, unverified }: ApproveOptions): typeof approveCommit {
  if (gate === true) return approveGate
  return unverified === true ? approveUnverified : approveCommit
}
