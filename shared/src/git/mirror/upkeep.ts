import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { Log } from "../../observe/log.ts"
import { gitEnvironment } from "../process/git-environment.ts"
import { runGit } from "../process/run-git.ts"

export interface UpkeepOptions {
  /** Milliseconds without a fetch before the mirror is maintained. */
  quiet?: number
  /** Fetches after which it begins, though they never let up. */
  most?: number
  /** Milliseconds after which everything is repacked, even when little has accumulated. */
  every?: number
  /** How long what a force push left behind stays, in git's words for dates. */
  pruneAfter?: string
  /** Called before everything is repacked: to drop refs that are needed no longer. */
  beforeRepack?(): Promise<void>
  /** Called after packs may have been removed. */
  afterRepack?(): void
  /** Fetches after which their packs are joined, where none of the above has come. */
  gatherAfter?: number
  /** How it is done; for tests. */
  maintain?: typeof maintainMirror
}

const QUIET = 5_000
const MOST_FETCHES = 500
const GATHER_AFTER = 16
const EVERY = 7 * 24 * 3600 * 1000
const PRUNE_AFTER = "14.days.ago"
/** Gathered loose objects and packs at which git itself thinks it worth the while; git's own is 6700 and 50. */
const LOOSE_OBJECTS = "2000"
const PACKS = "30"
/** Packs this large are left alone except by the rare run, so that the frequent one takes seconds. */
const LARGE_PACK = "64m"
const TIMEOUT = 3600_000
const NOTE = "headrace-tended"

/**
 * Packs what fetches left lying about and drops what force pushes made unreachable, so that disk use stays
 * bounded. Throws `git/…`.
 */
export async function maintainMirror(
  place: string,
  options: UpkeepOptions = {},
  signal?: AbortSignal,
): Promise<void> {
  const last = Number(await readFile(join(place, NOTE), "utf8").catch(() => "0"))
  const due = Date.now() - last > (options.every ?? EVERY)
  if (due) await options.beforeRepack?.()
  const env = gitEnvironment([
    ["gc.auto", LOOSE_OBJECTS],
    ["gc.autoPackLimit", PACKS],
    ["gc.pruneExpire", options.pruneAfter ?? PRUNE_AFTER],
    ["gc.bigPackThreshold", due ? "0" : LARGE_PACK],
    // What nothing reaches keeps its age there; loose, it would be new in each pack that gatherPacks makes of it.
    ["gc.cruftPacks", "true"],
    ["pack.threads", "1"],
  ])
  const args = ["gc", "--quiet", ...(due ? [] : ["--auto"])]
  await runGit({ gitDir: place, args, env, signal, timeout: TIMEOUT })
  if (due) await noteTended(place)
}

/**
 * Joins the packs that fetches brought one by one: git opens all that there are, so a fetch takes half as long again among a
 * hundred. Packs that are large against the others stay as they are, so that it takes tens of milliseconds
 * (git-repack(1), --geometric). Throws `git/…`.
 */
export async function gatherPacks(
  place: string,
  _options: UpkeepOptions = {},
  signal?: AbortSignal,
): Promise<void> {
  const env = gitEnvironment([
    ["repack.writeBitmaps", "false"],
    ["pack.threads", "1"],
    // Eight versions of a text of 20 MB took 450 MB and 16 s to compare with one another; that is left to gc.
    ["core.bigFileThreshold", "4m"],
    ["pack.windowMemory", "16m"],
  ])
  const args = ["repack", "--geometric=2", "-d", "--quiet"]
  await runGit({ gitDir: place, args, env, signal, timeout: TIMEOUT })
}

/** Notes that all of a mirror is packed as of now; a new one is, since it is fetched as one pack. */
export async function noteTended(place: string): Promise<void> {
  await writeFile(join(place, NOTE), String(Date.now()))
}

/**
 * Maintains a mirror at quiet moments, or after many fetches when there are none. A fetch never waits for it: git's own
 * locks, held for milliseconds, order the two, and what a fetch brings is younger than what is dropped.
 */
export class Upkeep {
  readonly #place: string
  readonly #log: Log
  readonly #options: UpkeepOptions
  #timer: NodeJS.Timeout | undefined
  #running: { done: Promise<void>; stop: AbortController } | undefined
  #closed = false
  /** Since its last maintenance. */
  #fetches = 0
  /** True when one was ended before its time and has left files, which must go while nothing else writes. */
  leftFiles = false

  constructor(place: string, log: Log, options: UpkeepOptions = {}) {
    this.#place = place
    this.#log = log
    this.#options = options
  }

  get isRunning(): boolean {
    return this.#running !== undefined
  }

  /** To be called after a fetch. */
  afterFetch(): void {
    clearTimeout(this.#timer)
    if (this.#closed) return
    const { most = MOST_FETCHES, gatherAfter = GATHER_AFTER } = this.#options
    this.#fetches++
    if (this.#fetches >= most) {
      this.#maintain()
      return
    }
    if (this.#fetches % gatherAfter === 0) this.#start(gatherPacks)
    this.#maintainWhenQuiet()
  }

  /** Ends what runs: a lock that it may hold is in the way, or the mirror is to be replaced. */
  async stop(): Promise<void> {
    this.#running?.stop.abort()
    await this.#running?.done
  }

  /** Ends what runs, for good. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.stop()
  }

  #maintainWhenQuiet(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#maintain(), this.#options.quiet ?? QUIET)
    this.#timer.unref()
  }

  #maintain(): void {
    if (this.#running !== undefined) {
      // What came since it began would wait for the next fetch.
      if (this.#fetches > 0) this.#maintainWhenQuiet()
      return
    }
    this.#fetches = 0
    this.#start(this.#options.maintain ?? maintainMirror)
  }

  #start(work: typeof maintainMirror): void {
    if (this.#running !== undefined) return
    const stop = new AbortController()
    this.#running = { stop, done: this.#run(work, stop.signal) }
  }

  async #run(work: typeof maintainMirror, signal: AbortSignal): Promise<void> {
    try {
      await work(this.#place, this.#options, signal)
      this.#options.afterRepack?.()
    } catch (error) {
      this.leftFiles = true
      if (!signal.aborted) this.#log.warn({ err: error }, "upkeep of the mirror failed")
    } finally {
      this.#running = undefined
    }
  }
}
