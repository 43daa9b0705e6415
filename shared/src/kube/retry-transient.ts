import type { Clock } from "../foundation/clock.ts"
import { type RetryPolicy, retry } from "../foundation/retry.ts"
import { isTransient, type KubeError, RETRY_AFTER_LIMIT } from "./kube-error.ts"

/** Enough for what may pass by itself; more would hold up the lane, which tries again anyway. */
const TRIES = 4
const BACKOFF = { first: 100, limit: 5_000 }
const DEADLINE_MS = 120_000

/** How often and how long an API server's transient failures are waited out. */
export function transientRetry(clock: Clock): RetryPolicy {
  return { attempts: TRIES, backoff: BACKOFF, deadline: DEADLINE_MS, clock }
}

/**
 * Calls until it succeeds, fails for good, or the policy's tries are used up. Waits at least as long as the
 * server asked. `mayRepeat` says whether a transient failure can be tried again without harm.
 */
export async function retryTransient<T>(
  policy: RetryPolicy,
  signal: AbortSignal | undefined,
  call: () => Promise<T>,
  mayRepeat: (error: KubeError) => boolean = () => true,
): Promise<T> {
  function waitAfter(error: unknown): number | undefined {
    if (!isTransient(error) || !mayRepeat(error)) return undefined
    return Math.min(error.retryAfter ?? 0, RETRY_AFTER_LIMIT)
  }
  return retry(policy, waitAfter, signal, call)
}

/** True when the request cannot have had an effect: it was turned away, or never reached the server. */
export function hadNoEffect(error: KubeError): boolean {
  if (error.code === "kube/too-many-requests") return true
  for (let cause: unknown = error.cause; cause instanceof Error; cause = cause.cause) {
    if (["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN"].includes(String(Reflect.get(cause, "code")))) return true
  }
  return false
}
