import { setTimeout as delay } from "node:timers/promises"
import { canonicalJson } from "../foundation/canonical-json.ts"
import { errorText } from "../foundation/errors.ts"
import type { Log } from "../observe/log.ts"

const LOOK_MS = 2000

export interface NextSettingsOptions<Settings> {
  /** For the log. */
  file: string
  load(file: string): Promise<Settings>
  /** Those in force. */
  current: Settings
  log: Log
  signal: AbortSignal
  /** Milliseconds between reads. */
  interval?: number
  /** Ends the wait before the next read. */
  hurry?: AbortSignal
  /** Called with true when the file does not read, with false when it gives the settings in force. */
  onRejected?(rejected: boolean): void
}

/**
 * Waits until settings say something else than the current ones, and gives them. Settings that do not parse are
 * logged once and otherwise ignored: the last good ones stay in force. Undefined when the signal aborted. Reads instead
 * of watching: a mounted ConfigMap changes by links that a watch does not see.
 */
export async function nextSettings<Settings>(
  options: NextSettingsOptions<Settings>,
): Promise<Settings | undefined> {
  const { file, load, current, log, signal, interval = LOOK_MS, hurry, onRejected } = options
  let reported = ""
  for (;;) {
    const isHurried = hurry?.aborted === true
    const either = hurry === undefined || isHurried ? signal : AbortSignal.any([signal, hurry])
    await delay(interval, undefined, { signal: either }).catch(() => undefined)
    if (signal.aborted) return undefined
    try {
      const next = await load(file)
      if (canonicalJson(next) !== canonicalJson(current)) return next
      reported = ""
      onRejected?.(false)
    } catch (error) {
      onRejected?.(true)
      const err = errorText(error)
      if (err !== reported) log.error({ file, err }, "settings do not read; the last good ones stay in force")
      reported = err
    }
  }
}
