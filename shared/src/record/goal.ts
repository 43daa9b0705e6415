import type { Hold } from "./record.ts"

/**
 * The commit that a cluster should show: the held one while a hold is in force, otherwise the branch's tip.
 *
 * `now` is milliseconds since the epoch. A hold whose `until` has passed no longer counts, whether or
 * not a program has removed it.
 */
export function goal(tip: string, hold: Hold | null, now: number): string {
  return hold !== null && holdInForce(hold, now) ? hold.commit : tip
}

/** True until the hold's `until`; always, when it has none. */
export function holdInForce(hold: Hold, now: number): boolean {
  return hold.until === null || Date.parse(hold.until) > now
}
