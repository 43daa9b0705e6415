import { type HoldPorts, holdSource } from "@headrace/shared/reconcile/operate/hold-source"
import type { SourceRecord } from "@headrace/shared/record/record"
import { changeRecords } from "../../cli/change-records.ts"
import { type HoldFlags, holdOfFlags } from "../../cli/hold-flags.ts"
import { commitDigits, namedCommit } from "../../cli/named-commit.ts"

export interface HoldOptions extends HoldFlags {
  commit?: string
}

/** Runs `hold`. */
export function runHold(options: HoldOptions, signal: AbortSignal): Promise<number> {
  const hold = holdOfFlags(options)
  const text = options.commit === undefined ? undefined : commitDigits(options.commit)
  async function change(ports: HoldPorts): Promise<SourceRecord> {
    if (text === undefined) return holdSource(ports, hold, signal)
    const commit = await namedCommit(ports.repository, text, signal)
    return holdSource(ports, { ...hold, commit }, signal)
  }
  return changeRecords(options, signal, change, { git: true })
}
