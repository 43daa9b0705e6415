import { untilAborted } from "./until-aborted.ts"

/** Callers of one run, and how to end it when none of them is left. */
interface Round {
  result: Promise<unknown>
  callers: number
  stop: AbortController
}

/**
 * Makes calls share runs: at most one runs and at most one is pending, and a caller that comes while one runs
 * shares the next, so that every caller gets a run that began after its call. A caller's abort frees that
 * caller alone; a run whose callers have all gone is aborted.
 */
export function shareNext<T>(run: (signal: AbortSignal) => Promise<T>): (signal?: AbortSignal) => Promise<T> {
  let running: Promise<unknown> = Promise.resolve()
  let pending: (Round & { result: Promise<T> }) | undefined

  function begin(): Round & { result: Promise<T> } {
    const stop = new AbortController()
    const result = running
      .catch(() => {})
      .then(() => {
        pending = undefined
        stop.signal.throwIfAborted()
        return run(stop.signal)
      })
    result.catch(() => {})
    running = result
    return { result, callers: 0, stop }
  }

  return async (signal) => {
    signal?.throwIfAborted()
    pending ??= begin()
    const round = pending
    round.callers++
    try {
      return await untilAborted(round.result, signal)
    } finally {
      round.callers--
      if (round.callers === 0) leave(round, signal)
    }
  }

  function leave(round: Round, signal: AbortSignal | undefined): void {
    if (signal?.aborted) round.stop.abort(signal.reason)
    // One that nobody waits for any more must not be joined by a new caller, whom it would fail.
    if (round.stop.signal.aborted && pending === round) pending = undefined
  }
}
