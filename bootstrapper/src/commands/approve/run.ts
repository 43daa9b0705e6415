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
  const lifts = liftOf(options)
  return changeRecords(
    options,
    signal,
    async (ports) => {
      const commit = await namedCommit(ports.repository, text, signal)
      return { by, reason, said: { verb: "approve", commit, lifts } }
    },
    { git: true },
  )
}

function liftOf({ gate, unverified, rejection }: ApproveOptions) {
  if (rejection === true) return "rejection"
  if (gate === true) return "gate"
  return unverified === true ? "unverified" : "guard"
}
