import { setTimeout as delay } from "node:timers/promises"
import { errorText } from "@headrace/shared/foundation/errors"
import type { Log } from "@headrace/shared/observe/log"

export interface PollPorts {
  /** The commit at the tip of a source's branch, asked of its origin. */
  tip(source: string, signal: AbortSignal): Promise<string>
  /** Called when the tip is another than at the last look. */
  onMoved(source: string, commit: string): Promise<void>
  /** Called at every other look: what does not show this commit is to be woken. Gives whether anything was. */
  onSame(source: string, commit: string): Promise<boolean>
  onPolled(source: string, result: "same" | "behind" | "moved" | "failed"): void
  log: Log
}

const JITTER = 0.2

/**
 * Looks at a source's branch every `interval` milliseconds (give or take a fifth, so that plugins do not ask
 * in step) until the signal aborts. The net under lost webhooks and lost wake-ups: it wakes what does not show the tip,
 * all when the branch has moved, and tries again at the next look when waking failed. What fails again in the same way is
 * logged once.
 */
export async function pollSource(
  source: string,
  interval: number,
  ports: PollPorts,
  signal: AbortSignal,
): Promise<void> {
  let last: string | undefined
  let failure: string | undefined
  while (await pause(interval, signal)) {
    try {
      const tip = await ports.tip(source, signal)
      // The first look wakes, too: the branch may have moved since the lanes were woken at start.
      ports.onPolled(source, await look(source, tip, last, ports))
      last = tip
      if (failure !== undefined) ports.log.info({ source }, "poll succeeded again")
      failure = undefined
    } catch (error) {
      if (signal.aborted) return
      ports.onPolled(source, "failed")
      const err = errorText(error)
      if (err !== failure) ports.log.warn({ source, err }, "poll failed")
      failure = err
    }
  }
}

async function look(
  source: string,
  tip: string,
  last: string | undefined,
  { onMoved, onSame }: PollPorts,
): Promise<"same" | "behind" | "moved"> {
  if (tip === last) return (await onSame(source, tip)) ? "behind" : "same"
  await onMoved(source, tip)
  return "moved"
}

/** False when the signal aborted. */
async function pause(interval: number, signal: AbortSignal): Promise<boolean> {
  const wait = interval * (1 - JITTER + Math.random() * 2 * JITTER)
  await delay(wait, undefined, { signal }).catch(() => undefined)
  return !signal.aborted
}
