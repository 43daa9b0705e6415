import { changeRollouts } from "../../cli/change-rollouts.ts"
import type { WordFlags } from "../../cli/word-flags.ts"

export interface PromoteOptions extends WordFlags {
  now: boolean
}

/** Runs `promote --now`; gives the exit code. */
export function runPromote(options: PromoteOptions, signal: AbortSignal): Promise<number> {
  return changeRollouts(options, signal, {
    said: { verb: "promote" },
    done: "promoted without its bake times",
  })
}
