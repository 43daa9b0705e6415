import { HeadraceError } from "../foundation/errors.ts"

/** Aborted as soon as another worker may hold the lock of a job. */
export interface LaneLock {
  signal: AbortSignal
  release(): void
}

export interface LockedJob {
  /** Milliseconds since the epoch, by our clock, when we asked for the job; Redis began to count later. */
  since: number
  /** Milliseconds for which a renewal lasts. */
  lifetime: number
  /** Renews; false: the lock is gone. */
  renew(): Promise<boolean>
}

/** An instant by both clocks: the steady one stops while a machine sleeps, the other may be set back. */
interface Instant {
  wall: number
  steady: number
}

/**
 * Renews the lock of a job under way, and aborts when it is gone or could not be renewed in time (Redis away,
 * this process paused). We stop a quarter of its lifetime early.
 *
 * Not by BullMQ's own renewal, which goes on working without a lock, and counts from when a reply is read: in a
 * process that was paused with the reply on its way, that is long after it expired in Redis. Here time counts from
 * when a renewal was sent.
 */
export function holdLock({ since, lifetime, renew }: LockedJob): LaneLock {
  const lost = new AbortController()
  const age = Math.max(0, Date.now() - since)
  let renewed: Instant = { wall: Date.now() - age, steady: performance.now() - age }
  let asking = false

  function lose(why: string): void {
    clearInterval(timer)
    lost.abort(new HeadraceError("lanes/lock-lost", `this worker lost its lane: ${why}`))
  }
  async function ask(): Promise<void> {
    if (asking) return
    asking = true
    const sent: Instant = { wall: Date.now(), steady: performance.now() }
    try {
      if (await renew()) renewed = sent
      else lose("its lock is gone")
    } catch {
      // Tried again at the next look, until it is too late.
    } finally {
      asking = false
    }
  }
  function look(): void {
    const silence = Math.max(Date.now() - renewed.wall, performance.now() - renewed.steady)
    if (silence > lifetime * 0.75) lose("its lock could not be renewed in time")
    else if (silence > lifetime / 5) void ask()
  }
  const timer = setInterval(look, lifetime / 16)
  look()
  return { signal: lost.signal, release: () => clearInterval(timer) }
}
