import type { ApprovePorts } from "@headrace/shared/reconcile/operate/hold-source"
import { changeRecords } from "../../cli/change-records.ts"
import { type HoldFlags, holdOfFlags } from "../../cli/hold-flags.ts"
import { commitDigits, namedCommit } from "../../cli/named-commit.ts"
import type { SpokenWord } from "../../cli/say-word.ts"

export interface RewindOptions extends HoldFlags {
  to: string
  rulesCommit?: string
  epoch?: number
}

/** Runs `rewind`. */
export function runRewind(options: RewindOptions, signal: AbortSignal): Promise<number> {
  const { by, reason, until } = holdOfFlags(options)
  const epoch = options.epoch ? { epoch: options.epoch } : {}
  const to = commitDigits(options.to)
  const rulesText = options.rulesCommit === undefined ? undefined : commitDigits(options.rulesCommit)
  async function say(ports: ApprovePorts): Promise<SpokenWord> {
    const said = {
      verb: "rewind",
      commit: await namedCommit(ports.repository, to, signal),
      until,
      ...epoch,
    } as const
    if (rulesText === undefined) return { by, reason, said }
    const rulesCommit = await namedCommit(ports.rulesRepository ?? ports.repository, rulesText, signal)
    return { by, reason, said: { ...said, rulesCommit } }
  }
  return changeRecords(options, signal, say, { git: true })
}
