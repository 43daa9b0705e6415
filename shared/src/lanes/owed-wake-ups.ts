import type { WakeUp } from "./wake-up.ts"

/** Wake-ups that go back to their lane, now or as soon as Redis takes them. */
export interface OwedWakeUps {
  /** Never throws. */
  handBack(wakeUp: WakeUp): Promise<void>
  /** Tries again now: Redis has come back. */
  retry(): Promise<void>
  stop(): void
}

const AGAIN_MS = 2000

/**
 * Keeps wake-ups that Redis could not take back, one of a source and mode, and tries again until it does: it may
 * have been away, or full, whose end no event shows.
 */
export function oweWakeUps(wake: (wakeUp: WakeUp) => Promise<void>): OwedWakeUps {
  const owed = new Map<string, WakeUp>()
  let timer: NodeJS.Timeout | undefined
  let stopped = false

  async function retry(): Promise<void> {
    clearTimeout(timer)
    for (const [line, wakeUp] of owed) {
      try {
        await wake(wakeUp)
        if (owed.get(line) === wakeUp) owed.delete(line)
      } catch {
        break
      }
    }
    clearTimeout(timer)
    if (owed.size > 0 && !stopped) timer = setTimeout(() => void retry(), AGAIN_MS)
  }
  return {
    async handBack(wakeUp) {
      owed.set(`${wakeUp.source}/${wakeUp.mode}`, wakeUp)
      await retry()
    },
    retry,
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}
