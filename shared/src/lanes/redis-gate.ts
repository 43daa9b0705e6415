import { errorMessage, type HeadraceError } from "../foundation/errors.ts"
import type { Log } from "../observe/log.ts"
import { type AdmitRedisOptions, admitRedis } from "./admit-redis.ts"
import type { RedisClient } from "./connect-redis.ts"
import { explainSilence } from "./explain-silence.ts"
import { redisTrouble } from "./redis-trouble.ts"

/**
 * Lets work through while Redis is there and fit for lanes. Redis is checked on every connect, every few seconds, and
 * whenever a command failed: it may have come back empty, with another configuration, or as a replica.
 */
export interface RedisGate {
  /** Why lanes cannot be used now; undefined when they can. */
  trouble(): HeadraceError | undefined
  /** Calls back each time Redis has been found fit or emptied, now too when it already is fit. */
  onOpen(listener: () => void): void
  /** Checks soon, and thoroughly: a command failed. */
  suspect(): void
  /** Ends after the first check, or when the time is over. */
  settled(milliseconds: number): Promise<void>
  /** Ends the checks; what the connection does from now on is our own doing and no news. */
  close(): void
}

export type WatchRedisOptions = Omit<AdmitRedisOptions, "thorough"> & { log: Log }

const CHECK_MS = 2000
/** Least time between two thorough checks that failed commands ask for. */
const SUSPECT_GAP_MS = 2000
const CONNECT_AGAIN_GAP_MS = 6000
/** How long the reason for a closed connection may take; without one it is logged as it is. */
const REASON_MS = 1000

/** Watches the Redis behind `client` until `close`. */
export function watchRedis(client: RedisClient, options: WatchRedisOptions): RedisGate {
  return new WatchedRedis(client, options)
}

class WatchedRedis implements RedisGate {
  readonly #client: RedisClient
  readonly #options: WatchRedisOptions
  readonly #timer: NodeJS.Timeout
  readonly #listeners: (() => void)[] = []
  readonly #checked = Promise.withResolvers<void>()
  #trouble: HeadraceError | undefined
  /** The trouble that was logged last, until Redis is fit again: each is logged once. */
  #logged = ""
  /** The best reason to give while it is away: a wrong password or certificate looks like that, too. */
  #lastError: Error | undefined
  #reasonTimer: NodeJS.Timeout | undefined
  #marked = false
  #checking = false
  #thorough = true
  #suspectedAt = Number.NEGATIVE_INFINITY
  #connectedAgainAt = Number.NEGATIVE_INFINITY
  #closed = false

  constructor(client: RedisClient, options: WatchRedisOptions) {
    this.#client = client
    this.#options = options
    this.#trouble = redisTrouble(options.where)
    this.#timer = setInterval(() => void this.#check(), CHECK_MS)
    this.#timer.unref()
    client.on("ready", () => this.#checkThoroughly())
    client.on("close", () => {
      // A replica is asked again on another connection, which changes nothing about it.
      if (this.#trouble === undefined || isAway(this.#trouble)) this.#fail(this.#lastError)
    })
    client.on("error", (error: Error) => {
      if (isOffline(error)) return
      this.#lastError = error
      if (client.status !== "ready") this.#fail(error)
    })
  }

  trouble(): HeadraceError | undefined {
    return this.#trouble
  }

  onOpen(listener: () => void): void {
    this.#listeners.push(listener)
    if (this.#trouble === undefined) listener()
  }

  suspect(): void {
    const now = performance.now()
    if (now - this.#suspectedAt < SUSPECT_GAP_MS) return
    this.#suspectedAt = now
    this.#checkThoroughly()
  }

  async settled(milliseconds: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, milliseconds)
    })
    await Promise.race([this.#checked.promise, timeout])
    clearTimeout(timer)
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#timer)
    clearTimeout(this.#reasonTimer)
  }

  #checkThoroughly(): void {
    this.#thorough = true
    void this.#check()
  }

  async #check(): Promise<void> {
    if (this.#checking || !this.#connected()) return
    this.#checking = true
    const thorough = this.#thorough || this.#trouble !== undefined
    this.#thorough = false
    try {
      const fresh = await admitRedis(this.#client, { ...this.#options, thorough })
      if (!this.#closed) this.#open(fresh)
    } catch (error) {
      await this.#explain(error)
    } finally {
      this.#checking = false
      this.#checked.resolve()
    }
  }

  #connected(): boolean {
    return !this.#closed && this.#client.status === "ready"
  }

  /** `fresh`: Redis had no mark of ours. */
  #open(fresh: boolean): void {
    const emptied = fresh && this.#marked
    this.#marked = true
    if (this.#trouble === undefined && !emptied) return
    const { log, where } = this.#options
    if (this.#trouble === undefined) log.warn({ redis: where }, "redis was emptied")
    else log.info({ redis: where }, "redis is ready")
    clearTimeout(this.#reasonTimer)
    this.#trouble = undefined
    this.#lastError = undefined
    this.#logged = ""
    for (const listener of this.#listeners) listener()
  }

  async #explain(error: unknown): Promise<void> {
    const { where, formatKey } = this.#options
    const silent = error instanceof Error && error.message === "Command timed out"
    const cause = silent ? await explainSilence(this.#client, where, formatKey, error) : error
    // A connection that broke meanwhile has said so itself.
    if (this.#connected() || cause !== error) this.#fail(cause)
    if (this.#trouble?.code === "lanes/redis-no-writes") this.#connectAgain()
  }

  #fail(error: unknown): void {
    const cause = isOffline(error) ? this.#lastError : error
    const trouble = redisTrouble(this.#options.where, cause)
    this.#trouble = trouble
    // Another answer does not come by waiting.
    if (!isAway(trouble)) this.#checked.resolve()
    clearTimeout(this.#reasonTimer)
    // A connection that merely closed: the next attempt to connect says why.
    if (cause === undefined) this.#reasonTimer = setTimeout(() => this.#report(trouble), REASON_MS).unref()
    else this.#report(trouble)
  }

  #report(trouble: HeadraceError): void {
    const { code, message, hint } = trouble
    if (this.#closed || this.#logged === `${code} ${message}`) return
    this.#logged = `${code} ${message}`
    const { log, where } = this.#options
    const fields = { redis: where, code, err: errorMessage(trouble), hint }
    if (isAway(trouble)) log.warn(fields, "redis is away")
    else log.error(fields, "redis cannot be used")
  }

  /** The address may lead to another server by now, which a connection that stays open does not notice. */
  #connectAgain(): void {
    const now = performance.now()
    if (this.#closed || now - this.#connectedAgainAt < CONNECT_AGAIN_GAP_MS) return
    this.#connectedAgainAt = now
    this.#client.disconnect(true)
  }
}

/** What ioredis answers to a command while there is no connection, which does not say why. */
function isOffline(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("Stream isn't writeable")
}

function isAway(trouble: HeadraceError): boolean {
  return trouble.code === "lanes/redis-unavailable"
}
