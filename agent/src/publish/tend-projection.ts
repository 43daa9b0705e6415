import { setTimeout as delay } from "node:timers/promises"
import type { LockOptions, WriterLock } from "../disk/lock-projection.ts"
import { prune, untilPrunable } from "../retain/prune.ts"
import { notifyOfLastFlip } from "../retain/retire-files.ts"
import { changeAlone } from "../store/held-locks.ts"
import type { ProjectionState } from "../store/projection-state.ts"
import { storeBytes } from "../store/store.ts"
import { emptyTrash } from "../store/trash.ts"
import { isInPlace } from "./examine.ts"
import { lookAgain } from "./look-again.ts"
import { prestage } from "./prestage.ts"

/** What a projection does while nothing is published. */
export interface Tending {
  /** After something was published, or could not be: begins again. */
  start(): void
  /** Keeps the way free for a publish: what is under way ends soon, and nothing begins. */
  pause(): Promise<void>
  /** After a publish that changed nothing: goes on waiting, or notifies the watchers that still have to be. */
  resume(): void
  /** Resolves when nothing is under way. */
  settled(): Promise<void>
}

export interface TendOptions {
  lock: LockOptions
  writer: WriterLock
  /** Keep a clone of what is shown staged. */
  prestage: boolean
  /** How often to look whether a revision that was leased is free, in milliseconds. */
  lookEvery: number
  /** Milliseconds from a flip until watchers of inodes are notified. */
  notifyAfter: number
}

/**
 * The usual notifyAfter. A publish takes names of the clone away from inodes that
 * it replaces, which is an event already (IN_ATTRIB), and some watchers ignore a second one that follows soon: chokidar
 * for 5 ms of its own time, on a machine that may be busy.
 */
export const NOTIFY_AFTER = 100

/** While publishes follow one another, revisions are pruned and removed this often, in milliseconds. */
const TEND_AT_LEAST_EVERY = 1000

/**
 * Maintains a projection: notifies watchers of what was replaced, makes a clone for the next publish, then prunes, again
 * as soon as a revision has come of age and from time to time while readers hold one that would go, since a reader
 * notifies no process when it releases a lease.
 */
export function tendProjection(projection: ProjectionState, options: TendOptions): Tending {
  const { store, log, path } = projection
  let work: Promise<void> = Promise.resolve()
  let hurry = new AbortController()
  let timer: NodeJS.Timeout | undefined
  /** When to look again, by performance.now(). After an opening that is soon, for the clone too. */
  let due: number | undefined = performance.now() + options.lookEvery
  /** When work began that is not done yet: publishes have come between. */
  let beganAt: number | undefined

  async function tend(signal: AbortSignal): Promise<void> {
    due = performance.now() + options.lookEvery
    beganAt ??= performance.now()
    // What is elsewhere by now is left alone; the next publish opens what is there.
    if (!isInPlace(projection)) return waitUntilDue()
    await untilNoticesAreDue(signal)
    const isOverdue = performance.now() - beganAt >= TEND_AT_LEAST_EVERY
    // A publish waits, and leaves as much to do again.
    const isForLater = signal.aborted && !isOverdue
    try {
      await changeAlone(projection, options.lock, async () => {
        await options.writer.renew()
        await notifyOfLastFlip(projection, signal.aborted)
        due = isForLater ? performance.now() : await nextAfterPruning()
      })
      if (isForLater) return
      await emptyTrash(projection, isOverdue ? undefined : signal)
      beganAt = undefined
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error, path }, "retention failed; it is tried again")
    }
    if (!signal.aborted) waitUntilDue()
  }

  /** Makes the clone and prunes. Gives when there is more to prune; undefined: not before something is published. */
  async function nextAfterPruning(): Promise<number | undefined> {
    await lookAgain(projection)
    if (options.prestage) await makeClone()
    const { leased } = await prune(projection)
    projection.usedBytes = storeBytes(store)
    const wait = untilPrunable(projection, leased, options.lookEvery)
    return wait === undefined ? undefined : performance.now() + wait
  }

  /** Where there is no room for one, what is pruned then makes some. */
  async function makeClone(): Promise<void> {
    try {
      await prestage(projection)
    } catch (error) {
      log.warn({ err: error, path }, "no clone could be staged; the next publish takes longer")
    }
  }

  async function untilNoticesAreDue(signal: AbortSignal): Promise<void> {
    if (isNoticeDue()) await delay(options.notifyAfter, undefined, { signal }).catch(() => undefined)
  }

  function isNoticeDue(): boolean {
    return projection.notifyWatchers !== undefined || projection.changedFolders.touched.size > 0
  }

  function waitUntilDue(): void {
    clearTimeout(timer)
    if (due === undefined) return
    timer = setTimeout(start, Math.max(1, due - performance.now()))
    timer.unref()
  }

  function start(): void {
    clearTimeout(timer)
    hurry = new AbortController()
    work = tend(hurry.signal)
  }

  waitUntilDue()
  return {
    start,
    async pause() {
      clearTimeout(timer)
      hurry.abort()
      await work
    },
    resume: () => (isNoticeDue() ? start() : waitUntilDue()),
    settled: () => work,
  }
}
