import { lostConfigMaps, type PastDeletions } from "./judge-change.ts"
import type { ChangeSize } from "./measure-change.ts"

/** As many entries are kept; beyond that the two oldest become one. */
export const MOST_PAST = 6

/**
 * The list when a hold ends at `end` (milliseconds since 1970): what counted when the hold began counts for a whole
 * window from its end, since what was merged meanwhile comes into force right after it. Pure.
 */
export function pastAfterHold(past: readonly PastDeletions[], end: number): PastDeletions[] {
  return past.map((one) => ({ ...one, at: end }))
}

/**
 * The list after a change came into force at `now`: newest first, bounded, without what is older than `window`
 * milliseconds. `approved`: an operator has looked at what is deleted, so that counting starts over. A time after `now`,
 * by a clock that was ahead, becomes `now`. `isHeld`: a hold is in force, and nothing becomes too old. `atLeast`: of the limits
 * that it was judged by. Pure.
 */
export function pastAfter(
  past: readonly PastDeletions[],
  change: {
    size: ChangeSize | undefined
    approved: boolean
    window: number
    atLeast: number
    now: number
    isHeld?: boolean
  },
): PastDeletions[] {
  const { size, approved, window, atLeast, now, isHeld = false } = change
  if (approved) return []
  const recent = past
    .filter(({ at }) => isHeld || at + window > now)
    .map((one) => ({ ...one, at: Math.min(one.at, now) }))
  if (size === undefined || size.deletedKeys === 0 || window === 0) return bounded(recent)
  const configMaps = lostConfigMaps(size, { atLeast }, recent)
  return bounded([{ at: now, keys: size.deletedKeys, configMaps }, ...recent])
}

/** The two oldest count from the later of their times: together they count longer, never shorter. */
export function bounded(past: readonly PastDeletions[], most = MOST_PAST): PastDeletions[] {
  if (past.length <= most) return [...past]
  const [last, ...rest] = [...past].reverse()
  const [before, ...others] = rest
  if (last === undefined || before === undefined) return [...past]
  const joined = {
    at: Math.max(last.at, before.at),
    keys: last.keys + before.keys,
    configMaps: last.configMaps + before.configMaps,
  }
  return bounded([...others.reverse(), joined], most)
}
