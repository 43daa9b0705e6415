import { rewindSource } from "@headrace/shared/reconcile/operate/hold-source"
import { changeRecords } from "../../cli/change-records.ts"
import { fullCommitId } from "../../cli/full-commit-id.ts"
import { type HoldFlags, holdOfFlags } from "../../cli/hold-flags.ts"

export interface RewindOptions extends HoldFlags {
  to: string
  rulesCommit?: string
  epoch?: number
}

/** Runs `rewind`. */
export function runRewind(options: RewindOptions, signal: AbortSignal): Promise<number> {
  const { to, rulesCommit, epoch } = options
  const rules = rulesCommit === undefined ? {} : { rulesCommit: fullCommitId(rulesCommit) }
  const hold = {
    ...holdOfFlags(options),
    commit: fullCommitId(to),
    ...rules,
    ...(epoch ? { atLeast: epoch } : {}),
  }
  return changeRecords(options, signal, (ports) => rewindSource(ports, hold, signal))
}
