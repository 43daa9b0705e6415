import { type ErrorCode, errorMessage, HeadraceError } from "../foundation/errors.ts"
import { untilAborted } from "../foundation/until-aborted.ts"

/** Why something is not known. */
export interface Problem {
  code: string
  message: string
  /** What to do about it; null: nothing is known that helps. */
  hint: string | null
}

/** What one question to git, Redis or a cluster came to. */
export type Answer<Value> = { known: true; value: Value } | { known: false; problem: Problem }

export function answered<Value>(value: Value): Answer<Value> {
  return { known: true, value }
}

export function unanswered(error: unknown): Answer<never> {
  const code: ErrorCode = error instanceof HeadraceError ? error.code : "program/unexpected"
  const hint = error instanceof HeadraceError ? (error.hint ?? null) : null
  return { known: false, problem: { code, message: errorMessage(error), hint } }
}

/** Asks one question; `who` names what is asked, such as `cluster build01`. Throws only the caller's abort. */
export type Ask = <Value>(
  who: string,
  question: (signal: AbortSignal) => Promise<Value>,
) => Promise<Answer<Value>>

/**
 * Starts a round of questions that all end after `milliseconds`, whichever came first: what does not answer is one unknown
 * fact, hides no other and holds none up. The time of each who is asked begins with the first question. Time in which this
 * process could not run does not count (it loads a client, or the machine is busy): the answer may be there already.
 * `signal` is the caller's.
 */
export function startAsking(milliseconds: number, signal: AbortSignal): Ask {
  const spent = new Map<string, Patience>()
  return async (who, question) => {
    signal.throwIfAborted()
    const time = spent.get(who) ?? { waited: 0, counted: 0, questions: 0 }
    spent.set(who, time)
    const limit = startPatience(time, milliseconds, {
      late: () => tooSlow(who, milliseconds),
      caller: signal,
    })
    try {
      return answered(await untilAborted(question(limit.signal), limit.signal))
    } catch (error) {
      signal.throwIfAborted()
      return unanswered(limit.signal.aborted ? limit.signal.reason : error)
    } finally {
      limit.end()
    }
  }
}

/** How long one who is asked has been waited for, in milliseconds, whatever the number of questions. */
interface Patience {
  waited: number
  /** When time was counted last, by the monotonic clock. */
  counted: number
  /** Under way. */
  questions: number
}

const TICK_MS = 50

/** Aborts once `time.waited` has come to the limit; a tick that comes late counts as one that came in time. */
function startPatience(
  time: Patience,
  milliseconds: number,
  { late, caller }: { late: () => Error; caller: AbortSignal },
): { signal: AbortSignal; end(): void } {
  const patience = new AbortController()
  if (time.questions === 0) time.counted = performance.now()
  time.questions += 1
  const timer = setInterval(() => {
    const now = performance.now()
    time.waited += Math.min(now - time.counted, 2 * TICK_MS)
    time.counted = now
    if (time.waited >= milliseconds) patience.abort(late())
  }, TICK_MS)
  const end = () => {
    clearInterval(timer)
    time.questions -= 1
  }
  return { signal: AbortSignal.any([patience.signal, caller]), end }
}

function tooSlow(who: string, milliseconds: number): HeadraceError {
  return new HeadraceError("status/no-answer", `${who} did not answer within ${milliseconds / 1000} s`, {
    hint: "Wait longer with --answer-limit 30s, or find out why it does not answer.",
  })
}
