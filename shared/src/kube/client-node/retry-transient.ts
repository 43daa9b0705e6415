import { type Backoff, backoffDelay } from "../../foundation/backoff.ts"
import type { Clock } from "../../foundation/clock.ts"
import { isTransient, type KubeError, RETRY_AFTER_LIMIT } from "../kube-error.ts"

export interface RetryPolicy {
  /** Tries in all. */
  attempts: number
  backoff: Backoff
  clock: Clock
}

/**
 * Calls until it succeeds, fails for good, or the attempts are used up. `mayRepeat` says whether a transient
 * failure can be tried again without harm. Waits at least as long as the server asked.
 */
export async function retryTransient<T>(
  policy: RetryPolicy,
  mayRepeat: (error: KubeError) => boolean,
  signal: AbortSignal | undefined,
  call: () => Promise<T>,
): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await call()
    } catch (error) {
      const last = attempt + 1 >= policy.attempts
      if (last || signal?.aborted || !isTransient(error) || !mayRepeat(error)) throw error
      const asked = Math.min(error.retryAfter ?? 0, RETRY_AFTER_LIMIT)
      await policy.clock.sleep(Math.max(asked, backoffDelay(policy.backoff, attempt)), signal)
    }
  }
}

/** True when the request cannot have had an effect: it was turned away, or never reached the server. */
export function hadNoEffect(error: KubeError): boolean {
  if (error.code === "kube/too-many-requests") return true
  for (let cause: unknown = error.cause; cause instanceof Error; cause = cause.cause) {
    if (["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN"].includes(String(Reflect.get(cause, "code")))) return true
  }
  return false
}
