import { type ApprovePorts, rewindSource } from "@headrace/shared/reconcile/operate/hold-source"
import type { SourceRecord } from "@headrace/shared/record/record"
import { changeRecords } from "../../cli/change-records.ts"
import { type HoldFlags, holdOfFlags } from "../../cli/hold-flags.ts"
import { commitDigits, namedCommit } from "../../cli/named-commit.ts"

export interface RewindOptions extends HoldFlags {
  to: string
  rulesCommit?: string
  epoch?: number
}

/** Runs `rewind`. */
export function runRewind(options: RewindOptions, signal: AbortSignal): Promise<number> {
  const { epoch } = options
  const hold = { ...holdOfFlags(options), ...(epoch ? { atLeast: epoch } : {}) }
  const to = commitDigits(options.to)
  const rulesText = options.rulesCommit === undefined ? undefined : commitDigits(options.rulesCommit)
  async function change(ports: ApprovePorts): Promise<SourceRecord> {
    const commit = await namedCommit(ports.repository, to, signal)
    if (rulesText === undefined) return rewindSource(ports, { ...hold, commit }, signal)
    const rulesCommit = await namedCommit(ports.rulesRepository ?? ports.repository, rulesText, signal)
    return rewindSource(ports, { ...hold, commit, rulesCommit }, signal)
  }
  return changeRecords(options, signal, change, { git: true })
}
