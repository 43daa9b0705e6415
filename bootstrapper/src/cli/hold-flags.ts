import { flag } from "@headrace/shared/command-line/flag"
import { systemClock } from "@headrace/shared/foundation/clock"
import { UsageError } from "@headrace/shared/foundation/errors"
import { readDuration } from "@headrace/shared/foundation/read-units"
import type { Command } from "commander"
import { addWordFlags, refuseEmptyReason, type WordFlags } from "./word-flags.ts"

/** The last time that has a four-digit year. */
const LAST_TIME_MS = Date.UTC(9999, 11, 31)

/** The flags that a hold is made of, for `hold` and `rewind`. */
export interface HoldFlags extends WordFlags {
  until?: string
}

/** Adds the flags of HoldFlags to a command. */
export function addHoldFlags(command: Command): Command {
  return addWordFlags(command, "holds it").addOption(
    flag(
      "--until <time>",
      "when it ends: an ISO time, or how long from now, such as 2h; without it at release",
    ),
  )
}

/** The hold that the flags describe, its end as an ISO time or null. Throws UsageError `hold/until`. */
export function holdOfFlags({ by, reason, until }: Pick<HoldFlags, "by" | "reason" | "until">): {
  by: string
  reason: string
  until: string | null
} {
  refuseEmptyReason(reason)
  if (until === undefined) return { by, reason, until: null }
  const duration = readDuration(until)
  if (duration !== undefined) return { by, reason, until: timeAfter(duration) }
  // Date.parse reads nearly anything: 5 is a day of 2001.
  const time = /^\d{4}-\d\d-\d\d/.test(until) ? Date.parse(until) : Number.NaN
  if (Number.isNaN(time)) {
    throw new UsageError("hold/until", `--until ${until} is neither a time nor a duration`, {
      hint: "Give an ISO time, such as 2026-03-01T18:00Z, or a duration, such as 2h or 3d.",
    })
  }
  if (time <= systemClock.now()) {
    throw new UsageError("hold/until", `--until ${until} has passed: nothing would be held`, {
      hint: "Give a time that is to come, or a duration, such as 2h.",
    })
  }
  return { by, reason, until: new Date(time).toISOString() }
}

function timeAfter(milliseconds: number): string {
  const time = systemClock.now() + milliseconds
  if (milliseconds > 0 && time <= LAST_TIME_MS) return new Date(time).toISOString()
  throw new UsageError("hold/until", "--until is out of range: nothing would be held, or for ever", {
    hint: "Give a duration above nothing, such as 2h; leave --until out to hold until release.",
  })
}
