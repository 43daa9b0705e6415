import { type Backoff, growingWait } from "@headrace/shared/foundation/backoff"
import type { Clock } from "@headrace/shared/foundation/clock"
import type { Latest } from "./latest.ts"

/** Short at its longest: a cause that has ended is noticed within seconds, and a try costs a read or two. */
const RETRY: Backoff = { first: 100, limit: 3_000 }

/**
 * Applies each newest value, and again after a growing wait while that fails; a newer value ends the wait.
 * Runs until the signal aborts, then rejects with its reason.
 */
export async function followLatest<Value>(
  latest: Latest<Value>,
  apply: (value: Value) => Promise<void>,
  onFailure: (error: unknown, attempt: number) => void,
  clock: Clock,
  signal: AbortSignal,
): Promise<never> {
  let seen = 0
  let tried = 0
  const waits = growingWait(RETRY)
  for (;;) {
    const { value, version } = await latest.after(seen, signal)
    if (version !== tried) waits.reset()
    tried = version
    try {
      await apply(value)
      seen = version
    } catch (error) {
      signal.throwIfAborted()
      onFailure(error, waits.failures())
      await waitOrNewer(waits.next(), latest, version, clock, signal)
    }
  }
}

/** Waits so long, or until there is a newer value; rejects with the signal's reason. */
export async function waitOrNewer(
  milliseconds: number,
  latest: Latest<unknown>,
  version: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const over = new AbortController()
  const either = AbortSignal.any([signal, over.signal])
  try {
    await Promise.race([clock.sleep(milliseconds, either), latest.after(version, either)])
  } finally {
    over.abort()
  }
}
