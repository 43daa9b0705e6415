import { systemClock } from "@headrace/shared/foundation/clock"
import { HeadraceError } from "@headrace/shared/foundation/errors"

/** Asks again every `everyMs` until the answer is not undefined; `what` names what was waited for in the error. */
export async function waitUntil<T>(
  what: string,
  ask: () => Promise<T | undefined> | T | undefined,
  options: { limitMs: number; everyMs?: number; signal?: AbortSignal | undefined },
): Promise<T> {
  const end = systemClock.now() + options.limitMs
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (systemClock.now() > end) {
      throw new HeadraceError("local/timeout", `${what} did not happen within ${options.limitMs / 1000} s`, {
        hint: "Look into the logs folder named above.",
      })
    }
    await systemClock.sleep(options.everyMs ?? 25, options.signal)
  }
}
