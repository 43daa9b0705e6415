import { setTimeout as delay } from "node:timers/promises"
import { errorText } from "@headrace/shared/foundation/errors"
import type { Log } from "@headrace/shared/observe/log"

export interface PollPorts {
  /** The commit at the tip of a source's branch, asked of its origin. */
  tip(source: string, signal: AbortSignal): Promise<string>
  /** Called when the tip is another than at the last look. */
  onMoved(source: string, commit: string): Promise<void>
  onPolled(source: string, result: "same" | "moved" | "failed"): void
  log: Log
}

const JITTER = 0.2

/**
 * Looks at a source's branch every `interval` milliseconds (give or take a fifth, so that plugins do not ask
 * in step) until the signal aborts. The net under lost webhooks: it wakes only when the branch has moved,
 * and tries again at the next look when waking failed.
 */
export async function pollSource(
  source: string,
  interval: number,
  ports: PollPorts,
  signal: AbortSignal,
): Promise<void> {
  let last: string | undefined
  while (await pause(interval, signal)) {
    try {
      const tip = await ports.tip(source, signal)
      // The first look wakes, too: the branch may have moved since the lanes were woken at start.
      if (tip !== last) await ports.onMoved(source, tip)
      ports.onPolled(source, tip === last ? "same" : "moved")
      last = tip
    } catch (error) {
      if (signal.aborted) return
      ports.onPolled(source, "failed")
      ports.log.warn({ source, err: errorText(error) }, "poll failed")
    }
  }
}

/** False when the signal aborted. */
async function pause(interval: number, signal: AbortSignal): Promise<boolean> {
  const wait = interval * (1 - JITTER + Math.random() * 2 * JITTER)
  await delay(wait, undefined, { signal }).catch(() => undefined)
  return !signal.aborted
}
