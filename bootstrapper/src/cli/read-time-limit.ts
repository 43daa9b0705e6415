import { UsageError } from "@headrace/shared/foundation/errors"
import { Duration } from "@headrace/shared/settings/units"

/** A flag's duration in milliseconds. Throws UsageError. */
export function readTimeLimit(text: string, flag = "--time-limit"): number {
  const parsed = Duration.safeParse(text)
  if (parsed.success) return parsed.data
  throw new UsageError("flag/time-limit", `${flag} ${text}: expected a duration such as 10m`)
}
