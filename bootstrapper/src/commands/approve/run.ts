import { systemClock } from "@headrace/shared/foundation/clock"
import {
  approveCommit,
  approveGate,
  approveUnverified,
} from "@headrace/shared/reconcile/operate/approve-commit"
import { changeRecord } from "@headrace/shared/reconcile/record/change-record"
import { liftRejection } from "@headrace/shared/rollout/words"
import { type ChangeRecordsOptions, changeRecords } from "../../cli/change-records.ts"
import { commitDigits, namedCommit } from "../../cli/named-commit.ts"
import { refuseEmptyReason } from "../../cli/word-flags.ts"

export interface ApproveOptions extends ChangeRecordsOptions {
  commit: string
  by: string
  reason: string
  gate?: boolean
  unverified?: boolean
  rejection?: boolean
}

/** Runs `approve`. */
export function runApprove(options: ApproveOptions, signal: AbortSignal): Promise<number> {
  const text = commitDigits(options.commit)
  refuseEmptyReason(options.reason)
  const { by, reason } = options
  const at = new Date(systemClock.now()).toISOString()
  const approve = approvalFor(options)
  return changeRecords(
    options,
    signal,
    async (ports) => {
      const commit = await namedCommit(ports.repository, text, signal)
      const approval = { commit, by, reason, at }
      if (!options.rejection) return approve(ports, commit, signal, approval)
      return changeRecord(ports, (record) => liftRejection(record, commit), signal, { approval })
    },
    { git: true },
  )
}

function approvalFor({ gate, unverified }: ApproveOptions): typeof approveCommit {
  if (gate === true) return approveGate
  return unverified === true ? approveUnverified : approveCommit
}
