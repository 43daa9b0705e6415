import { untilAborted } from "./until-aborted.ts"

/** A signal that a time limit and the caller can both abort; `end` stops the clock and forgets the caller. */
export interface TimeLimit {
  signal: AbortSignal
  /** Restarts the time, for work that may take long while it progresses. */
  restart(): void
  end(): void
}

/**
 * Starts a time limit of `milliseconds`. When it is over the signal's reason is what `late` gives; when the
 * caller aborts, the caller's own reason. Node's timers run on the monotonic clock, so that a wall clock that
 * jumps neither fires nor delays it.
 */
export function startTimeLimit(milliseconds: number, late: () => Error, caller?: AbortSignal): TimeLimit {
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(late()), milliseconds)
  const pass = (): void => controller.abort(caller?.reason)
  if (caller?.aborted) pass()
  caller?.addEventListener("abort", pass, { once: true })
  return {
    signal: controller.signal,
    restart: () => void timer.refresh(),
    end() {
      clearTimeout(timer)
      caller?.removeEventListener("abort", pass)
    },
  }
}

/** Waits for `work` no longer than `milliseconds`, then throws `late()`; what `work` does later is ignored. */
export async function withTimeLimit<T>(
  work: Promise<T>,
  milliseconds: number,
  late: () => Error,
): Promise<T> {
  const limit = startTimeLimit(milliseconds, late)
  work.catch(() => undefined)
  try {
    return await untilAborted(work, limit.signal)
  } finally {
    limit.end()
  }
}
