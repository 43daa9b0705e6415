import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { Log } from "../../observe/log.ts"
import { gitEnvironment } from "../process/git-environment.ts"
import { runGit } from "../process/run-git.ts"
import { removeLeftovers } from "./remove-leftovers.ts"

export interface UpkeepOptions {
  /** Milliseconds without a fetch before the mirror is maintained. */
  quiet?: number
  /** Fetches after which the next one waits for it, though they never let up. */
  most?: number
  /** Milliseconds after which everything is repacked, even when little has accumulated. */
  every?: number
  /** How long what a force push left behind stays, in git's words for dates. */
  pruneAfter?: string
}

const QUIET = 5_000
const MOST_FETCHES = 500
const EVERY = 7 * 24 * 3600 * 1000
const PRUNE_AFTER = "14.days.ago"
/** Gathered loose objects and packs at which git itself thinks it worth the while; git's own is 6700 and 50. */
const LOOSE_OBJECTS = "2000"
const PACKS = "30"
/** Packs this large are left alone except by the rare run, so that the frequent one takes seconds. */
const LARGE_PACK = "64m"
const TIMEOUT = 3600_000
/** Interrupted so often in a row, upkeep is let through and the next fetch waits for it: it must run some time. */
const PATIENCE = 3
const NOTE = "headrace-tended"

/**
 * Packs what fetches left lying about and drops what force pushes made unreachable, so that disk use stays
 * bounded. Throws `git/…`.
 */
export async function tendMirror(
  place: string,
  options: UpkeepOptions = {},
  signal?: AbortSignal,
): Promise<void> {
  const last = Number(await readFile(join(place, NOTE), "utf8").catch(() => "0"))
  const due = Date.now() - last > (options.every ?? EVERY)
  const env = gitEnvironment([
    ["gc.auto", LOOSE_OBJECTS],
    ["gc.autoPackLimit", PACKS],
    ["gc.pruneExpire", options.pruneAfter ?? PRUNE_AFTER],
    ["gc.bigPackThreshold", due ? "0" : LARGE_PACK],
    ["pack.threads", "1"],
  ])
  const args = ["gc", "--quiet", ...(due ? [] : ["--auto"])]
  await runGit({ gitDir: place, args, env, signal, timeout: TIMEOUT })
  if (due) await noteTended(place)
}

/** Notes that all of a mirror is packed as of now; a new one is, since it is fetched as one pack. */
export async function noteTended(place: string): Promise<void> {
  await writeFile(join(place, NOTE), String(Date.now()))
}

/** Maintains a mirror at quiet moments: never while a fetch runs, and a fetch that arrives ends it. */
export class Upkeep {
  readonly #place: string
  readonly #log: Log
  readonly #options: UpkeepOptions
  #timer: NodeJS.Timeout | undefined
  #running: { done: Promise<void>; stop: AbortController } | undefined
  #interrupted = 0
  /** Since its last maintenance. */
  #fetches = 0

  constructor(place: string, log: Log, options: UpkeepOptions = {}) {
    this.#place = place
    this.#log = log
    this.#options = options
  }

  /** To be awaited before a fetch. */
  async pause(): Promise<void> {
    clearTimeout(this.#timer)
    const overdue = this.#fetches >= (this.#options.most ?? MOST_FETCHES)
    if (overdue && this.#running === undefined) this.#start()
    if (this.#running === undefined) return
    if (!overdue && this.#interrupted < PATIENCE) this.#running.stop.abort()
    await this.#running.done
  }

  /** To be called after a fetch. */
  resume(): void {
    clearTimeout(this.#timer)
    this.#fetches++
    this.#timer = setTimeout(() => this.#start(), this.#options.quiet ?? QUIET)
    this.#timer.unref()
  }

  /** Ends what runs, for good. */
  async close(): Promise<void> {
    clearTimeout(this.#timer)
    this.#running?.stop.abort()
    await this.#running?.done
  }

  #start(): void {
    const stop = new AbortController()
    this.#running = { stop, done: this.#run(stop.signal) }
  }

  async #run(signal: AbortSignal): Promise<void> {
    try {
      await tendMirror(this.#place, this.#options, signal)
      this.#interrupted = 0
      this.#fetches = 0
    } catch (error) {
      await removeLeftovers(this.#place)
      if (signal.aborted) {
        this.#interrupted++
        return
      }
      this.#fetches = 0
      this.#log.warn({ err: String(error) }, "upkeep of the mirror failed")
    } finally {
      this.#running = undefined
    }
  }
}
