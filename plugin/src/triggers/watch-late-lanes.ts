import { setTimeout as delay } from "node:timers/promises"
import { errorText } from "@headrace/shared/foundation/errors"
import { isLate, readLaneAges } from "@headrace/shared/lanes/lane-ages"
import type { Lanes } from "@headrace/shared/lanes/open-lanes"
import { wakeLanes } from "@headrace/shared/lanes/wake-lanes"
import type { Log } from "@headrace/shared/observe/log"

export interface WatchdogOptions {
  lanes: Lanes
  clusters: readonly string[]
  sources: readonly string[]
  /** Milliseconds between looks. */
  interval?: number
  log: Log
}

const LOOK_MS = 5 * 60_000
const LOOKS_AN_HOUR = 12

/**
 * The watchdog: wakes lanes, for a full reconcile, whose last success is older than it should be, whatever
 * was to have woken them (a scheduler that Redis lost, a CronJob that does not run). A lane that stays late, since
 * its source is stopped or a target fails for good, is woken ever more rarely. Ends with the signal.
 */
export async function watchLateLanes(options: WatchdogOptions, signal: AbortSignal): Promise<void> {
  const { lanes, clusters, sources, log } = options
  let seenLate = new Map<string, number>()
  while (!signal.aborted) {
    await delay(options.interval ?? LOOK_MS, undefined, { signal }).catch(() => undefined)
    if (signal.aborted || lanes.trouble()) continue
    try {
      const late = (await readLaneAges(lanes, clusters, sources)).filter((age) => isLate(age, Date.now()))
      const seenBefore = seenLate
      seenLate = new Map()
      for (const { cluster, source, lastSuccess } of late) {
        const lane = `${cluster}/${source}`
        const looks = (seenBefore.get(lane) ?? 0) + 1
        seenLate.set(lane, looks)
        if (!isTurn(looks)) continue
        log.warn({ cluster, source, lastSuccess }, "lane is late")
        await wakeLanes(lanes, [cluster], [source], { mode: "full", reason: "watchdog" })
      }
    } catch (error) {
      log.warn({ err: errorText(error) }, "lanes could not be watched")
    }
  }
}

/** At the first, second, fourth and eighth look that finds a lane late, then once an hour. */
export function isTurn(looks: number): boolean {
  return looks < LOOKS_AN_HOUR ? Number.isInteger(Math.log2(looks)) : looks % LOOKS_AN_HOUR === 0
}
