import { growingWait } from "../foundation/backoff.ts"
import type { Clock } from "../foundation/clock.ts"
import type { ConfigMap } from "../foundation/config-map.ts"
import { hasCode } from "../foundation/errors.ts"
import { isFinal, markFinal } from "../foundation/retry.ts"
import type { ConfigMapWriter } from "./config-map-api.ts"
import { retryTransient, transientRetry } from "./retry-transient.ts"

/** Lost races, after which others write too often for us to wait any longer. */
const RACE_TRIES = 12
const RACE_BACKOFF = { first: 20, limit: 1_000 }
const LOST_RACES = ["kube/conflict", "kube/already-exists", "kube/not-found"] as const

/**
 * Optimistic concurrency: calls `attempt`, which reads, judges and writes with the resourceVersion that it
 * read, all of it again while another writer is first. A lost race is `undefined`, or an error as `isLostRace`
 * knows them; transient failures are waited out as everywhere. Each has a count of its own over all attempts.
 *
 * Throws when the attempts are used up: the last error or, where it is given, what `contended` makes of it. An attempt
 * that may give `undefined` has no error to throw, so it needs one. Loops inside each other do not multiply: an error
 * that one has given up on is final.
 */
export function compareAndSwap<T extends object | boolean>(
  clock: Clock,
  signal: AbortSignal,
  attempt: () => Promise<T>,
): Promise<T>
export function compareAndSwap<T>(
  clock: Clock,
  signal: AbortSignal,
  attempt: () => Promise<T | undefined>,
  contended: (cause: unknown) => Error,
): Promise<T>
export async function compareAndSwap<T>(
  clock: Clock,
  signal: AbortSignal,
  attempt: () => Promise<T | undefined>,
  contended?: (cause: unknown) => Error,
): Promise<T> {
  const waits = growingWait(RACE_BACKOFF)
  return retryTransient(transientRetry(clock), signal, async () => {
    for (;;) {
      signal.throwIfAborted()
      const { result, lost } = await tried(attempt)
      if (result !== undefined) return result
      const wait = waits.next()
      if (waits.failures() >= RACE_TRIES) throw markFinal(contended?.(lost) ?? lost)
      await clock.sleep(wait, signal)
    }
  })
}

async function tried<T>(attempt: () => Promise<T | undefined>): Promise<{ result?: T; lost?: unknown }> {
  try {
    const result = await attempt()
    return result === undefined ? {} : { result }
  } catch (lost) {
    if (!isLostRace(lost) || isFinal(lost)) throw lost
    return { lost }
  }
}

/** True when another writer was first, or removed what was to be replaced: read again. */
export function isLostRace(error: unknown): boolean {
  return LOST_RACES.some((code) => hasCode(error, code))
}

/** Creates a ConfigMap inside `compareAndSwap`: where the namespace is missing nobody was first, and nobody will be. */
export async function createOnce(
  kube: ConfigMapWriter,
  configMap: ConfigMap,
  signal?: AbortSignal,
): Promise<ConfigMap> {
  try {
    return await kube.create(configMap, signal)
  } catch (error) {
    throw hasCode(error, "kube/not-found") ? markFinal(error) : error
  }
}
