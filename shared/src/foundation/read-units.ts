const DURATION_UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const BYTE_UNITS = { "": 1, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, k: 1e3, M: 1e6, G: 1e9 } as const

/** What durations and sizes look like, in flags and settings; JSON Schemas have it too. */
export const DURATION = /^\d+(ms|s|m|h|d)$/
export const BYTES = /^\d+(Ki|Mi|Gi|k|M|G)?$/

/** Two weeks: with jitter, still what a timer of Node's counts. One of more than 2^31 ms ends at once. */
const MOST_WAIT_MS = 14 * DURATION_UNITS.d

/** `250ms`, `30s`, `10m`, `1h`, `3d` in milliseconds; undefined: it is none of these. */
export function readDuration(text: string): number | undefined {
  if (!DURATION.test(text)) return undefined
  const unit = text.replace(/^\d+/, "") as keyof typeof DURATION_UNITS
  return Number.parseInt(text, 10) * DURATION_UNITS[unit]
}

/** True for a duration that something can wait for, over and over: not nothing, and at most 14d. */
export function canWait(milliseconds: number): boolean {
  return milliseconds > 0 && milliseconds <= MOST_WAIT_MS
}

/** `512Ki`, `64Mi`, `2Gi`, `1000` in bytes; undefined: it is none of these. */
export function readBytes(text: string): number | undefined {
  if (!BYTES.test(text)) return undefined
  const unit = text.replace(/^\d+/, "") as keyof typeof BYTE_UNITS
  return Number.parseInt(text, 10) * BYTE_UNITS[unit]
}
