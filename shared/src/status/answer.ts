import { type ErrorCode, errorMessage, HeadraceError } from "../foundation/errors.ts"
import { startTimeLimit } from "../foundation/time-limit.ts"
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
 * Starts a round of questions that all end `milliseconds` from now, whichever came first: what does not answer is one
 * unknown fact, hides no other and holds none up. `signal` is the caller's.
 */
export function startAsking(milliseconds: number, signal: AbortSignal): Ask {
  const end = performance.now() + milliseconds
  return async (who, question) => {
    signal.throwIfAborted()
    const late = () => tooSlow(who, milliseconds)
    const limit = startTimeLimit(Math.max(0, end - performance.now()), late, signal)
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

function tooSlow(who: string, milliseconds: number): HeadraceError {
  return new HeadraceError("status/no-answer", `${who} did not answer within ${milliseconds / 1000} s`, {
    hint: "Wait longer with --answer-limit 30s, or find out why it does not answer.",
  })
}
