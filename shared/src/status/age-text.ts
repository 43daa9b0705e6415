const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
/** From this many of a unit on, the next larger one says enough. */
const ENOUGH = 2

/** `52 min`, the largest unit of which there are two at least; nothing below a second is worth more than `0 s`. */
export function ageText(milliseconds: number): string {
  const age = Math.max(0, milliseconds)
  if (age >= ENOUGH * DAY_MS) return `${Math.floor(age / DAY_MS)} d`
  if (age >= ENOUGH * HOUR_MS) return `${Math.floor(age / HOUR_MS)} h`
  if (age >= ENOUGH * MINUTE_MS) return `${Math.floor(age / MINUTE_MS)} min`
  return `${Math.floor(age / SECOND_MS)} s`
}

/** An ISO time to the second, and how long before `at` that was: `2026-11-28T13:10:02Z (52 min ago)`. */
export function timeAndAge(time: string, at: string): string {
  const moment = Date.parse(time)
  if (Number.isNaN(moment)) return time
  const exact = new Date(moment).toISOString().replace(/\.\d+Z$/, "Z")
  return `${exact} (${ageText(Date.parse(at) - moment)} ago)`
}
