import type { Worker } from "bullmq"
import { HeadraceError } from "../foundation/errors.ts"

/** The part of BullMQ's worker that tells of its locks. */
export type LockEvents = Pick<Worker, "on" | "off">

/** Aborted as soon as the lock of a job may be somebody else's. */
export interface LaneLock {
  signal: AbortSignal
  release(): void
}

/**
 * Watches the lock of a job under way. BullMQ renews it, but neither stops the work when that fails nor
 * notices that renewals have stopped (Redis gone, this process paused): both abort the signal here.
 *
 * `lifetime` (milliseconds) is how long a renewal lasts. We let go a quarter early, since the reply to a
 * renewal reaches us later than Redis began to count.
 */
export function watchLock(worker: LockEvents, jobId: string, lifetime: number): LaneLock {
  const lost = new AbortController()
  let renewedAt = Date.now()

  function lose(why: string): void {
    lost.abort(new HeadraceError("lanes/lock-lost", `this worker lost its lane: ${why}`))
  }
  function onRenewed(renewed: { jobIds: string[] }): void {
    if (renewed.jobIds.includes(jobId)) renewedAt = Date.now()
  }
  function onFailed(jobIds: string[]): void {
    if (jobIds.includes(jobId)) lose("its lock is gone")
  }
  worker.on("locksRenewed", onRenewed)
  worker.on("lockRenewalFailed", onFailed)
  const timer = setInterval(() => {
    if (Date.now() - renewedAt > lifetime * 0.75) lose("its lock could not be renewed in time")
  }, lifetime / 16)

  return {
    signal: lost.signal,
    release() {
      clearInterval(timer)
      worker.off("locksRenewed", onRenewed)
      worker.off("lockRenewalFailed", onFailed)
    },
  }
}
