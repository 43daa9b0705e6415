import { flag } from "@headrace/shared/command-line/flag"
import { UsageError } from "@headrace/shared/foundation/errors"
import type { Command } from "commander"
import { addClusterSourceOptions, type ClusterSourceOptions } from "./cluster-source-options.ts"
import { addEffectFlags, type EffectFlags } from "./effect-flags.ts"
import { userName } from "./user-name.ts"

/** The flags of an operator's word that records keep: who says it, and why. */
export interface WordFlags extends ClusterSourceOptions, EffectFlags {
  by: string
  reason: string
}

/** Adds the flags of WordFlags to a command; `does` follows "who". */
export function addWordFlags(command: Command, does: string): Command {
  return addEffectFlags(addClusterSourceOptions(command))
    .addOption(flag("--by <name>", `who ${does}`).default(userName()))
    .addOption(flag("--reason <text>", "why, for status").needed())
}

/** The person who finds a word months later has nothing but its reason. Throws UsageError `hold/reason`. */
export function refuseEmptyReason(reason: string): void {
  if (reason.trim() !== "") return
  throw new UsageError("hold/reason", "--reason is empty", {
    hint: 'Say why in a few words, such as --reason "incident 42": status shows it.',
  })
}
