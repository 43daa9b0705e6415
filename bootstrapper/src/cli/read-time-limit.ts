import { UsageError } from "@headrace/shared/foundation/errors"
import { Duration } from "@headrace/shared/settings/units"

/** `--time-limit` in milliseconds. Throws UsageError. */
export function readTimeLimit(text: string): number {
  const parsed = Duration.safeParse(text)
  if (parsed.success) return parsed.data
  throw new UsageError("flag/time-limit", `--time-limit ${text}: expected a duration such as 10m`)
}
