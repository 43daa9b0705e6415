import { systemClock } from "@headrace/shared/foundation/clock"
import { UsageError } from "@headrace/shared/foundation/errors"
import type { Command } from "commander"
import { addClusterSourceOptions, type ClusterSourceOptions } from "./cluster-source-options.ts"
import { flag } from "./flag.ts"
import { userName } from "./user-name.ts"

/** The flags that a hold is made of, for `hold` and `rewind`. */
export interface HoldFlags extends ClusterSourceOptions {
  by: string
  reason: string
  until?: string
}

/** Adds the flags of HoldFlags to a command. */
export function addHoldFlags(command: Command): Command {
  return addClusterSourceOptions(command)
    .addOption(flag("--by <name>", "who holds it").default(userName()))
    .addOption(flag("--reason <text>", "why, for status").makeOptionMandatory())
    .addOption(flag("--until <time>", "ISO time at which it ends; else at release"))
}

/** The hold that the flags describe, its end as an ISO time or null. Throws UsageError `hold/until`. */
export function holdOfFlags({ by, reason, until }: HoldFlags): {
  by: string
  reason: string
  until: string | null
} {
  if (until === undefined) return { by, reason, until: null }
  // Date.parse reads nearly anything: 5 is a day of 2001.
  const time = /^\d{4}-\d\d-\d\d/.test(until) ? Date.parse(until) : Number.NaN
  if (Number.isNaN(time)) throw new UsageError("hold/until", `--until ${until}: expected an ISO time`)
  if (time <= systemClock.now()) {
    throw new UsageError("hold/until", `--until ${until} has passed: nothing would be held`)
  }
  return { by, reason, until: new Date(time).toISOString() }
}
