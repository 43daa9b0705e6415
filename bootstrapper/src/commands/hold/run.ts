import type { HoldPorts } from "@headrace/shared/reconcile/operate/hold-source"
import { changeRecords } from "../../cli/change-records.ts"
import { type HoldFlags, holdOfFlags } from "../../cli/hold-flags.ts"
import { commitDigits, namedCommit } from "../../cli/named-commit.ts"
import type { SpokenWord } from "../../cli/say-word.ts"

export interface HoldOptions extends HoldFlags {
  commit?: string
}

/** Runs `hold`. */
export function runHold(options: HoldOptions, signal: AbortSignal): Promise<number> {
  const { by, reason, until } = holdOfFlags(options)
  const text = options.commit === undefined ? undefined : commitDigits(options.commit)
  async function say({ repository }: HoldPorts): Promise<SpokenWord> {
    const commit = text === undefined ? {} : { commit: await namedCommit(repository, text, signal) }
    return { by, reason, said: { verb: "hold", until, ...commit } }
  }
  return changeRecords(options, signal, say, { git: true })
}
