import { holdSource } from "@headrace/shared/reconcile/operate/hold-source"
import { changeRecords } from "../../cli/change-records.ts"
import { fullCommitId } from "../../cli/full-commit-id.ts"
import { type HoldFlags, holdOfFlags } from "../../cli/hold-flags.ts"

export interface HoldOptions extends HoldFlags {
  commit?: string
}

/** Runs `hold`. */
export function runHold(options: HoldOptions, signal: AbortSignal): Promise<number> {
  const { commit } = options
  const hold = { ...holdOfFlags(options), ...(commit === undefined ? {} : { commit: fullCommitId(commit) }) }
  return changeRecords(options, signal, (ports) => holdSource(ports, hold, signal))
}
