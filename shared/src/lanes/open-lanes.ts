import { Queue } from "bullmq"
import { systemClock } from "../foundation/clock.ts"
import { HeadraceError } from "../foundation/errors.ts"
import { shareNext } from "../foundation/share-next.ts"
import { withTimeLimit } from "../foundation/time-limit.ts"
import type { Log } from "../observe/log.ts"
import { connectRedis, type RedisClient } from "./connect-redis.ts"
import { parseRedisUrl, redisAddressText } from "./redis-address.ts"
import { redisError } from "./redis-error.ts"
import { type RedisGate, watchRedis } from "./redis-gate.ts"
import type { LaneJob, WakeUp } from "./wake-up.ts"

export interface OpenLanesOptions {
  /** A Redis URL (redis-address.ts lists the forms). */
  redis: string
  /** First part of every key; two installations in one Redis need two. */
  prefix?: string
  /** Milliseconds that a wake-up may take to be accepted. */
  timeLimit?: number
  log: Log
}

/** The lanes of one Redis: a queue of wake-ups for each cluster. */
export interface Lanes {
  /**
   * Accepts a wake-up: from when this returns, the lane's worker looks again after now. At most one of a
   * source and mode waits; more are one. Throws `lanes/…` within the time limit when Redis cannot take it.
   */
  wake(cluster: string, wakeUp: WakeUp): Promise<void>
  /** Why lanes cannot be used now; undefined when they can. */
  trouble(): HeadraceError | undefined
  /** Calls back now if Redis is fit, and each time it has come back: what was in flight may be gone. */
  onOpen(listener: () => void): void
  /** The key of this installation that these parts name; all share a hash tag, for Redis Cluster. */
  key(...parts: string[]): string
  /** A connection whose commands fail at once while Redis is away. */
  redis: RedisClient
  /** A connection whose commands wait for Redis, as workers need it; opened at first use. */
  patientRedis(): RedisClient
  /** BullMQ's prefix: the hash tag. */
  prefix: string
  queue(cluster: string): LaneQueue
  close(): Promise<void>
}

export type LaneQueue = Queue<LaneJob>

/** GitHub waits ten seconds for an answer; a busy machine may well stop us for one or two. */
const WAKE_LIMIT_MS = 4000
/** Least time between two of the same: in a burst, the later ones share one. The first never waits. */
const ADD_GAP_MS = 10
const COMMAND_LIMIT_MS = 3000
const FIRST_LOOK_MS = 3000
/** Finished wake-ups that stay to be looked at, and the events that BullMQ keeps of them. */
const KEPT_DONE = 20
const KEPT_FAILED = 50
const KEPT_EVENTS = 500

/**
 * Opens the lanes. A Redis that is away is waited for in the background (`trouble` says so meanwhile); one
 * that is unfit is refused: throws `lanes/redis-evicts` or `lanes/newer-format`, and UsageError
 * `lanes/redis-url` for a URL that does not read.
 */
export async function openLanes(options: OpenLanesOptions): Promise<Lanes> {
  const address = parseRedisUrl(options.redis)
  const where = redisAddressText(address)
  const prefix = hashTag(options.prefix ?? "headrace")
  const key = (...parts: string[]) => [prefix, ...parts].join(":")
  // The gate logs an outage once; each attempt to reconnect is for debugging.
  const onError = (error: Error) =>
    options.log.debug({ redis: where, err: error.message }, "redis connection failed")

  const redis = connectRedis(address, { failFast: true, timeLimit: COMMAND_LIMIT_MS, onError })
  const gate = watchRedis(redis, where, key("format"), options.log)
  let patient: RedisClient | undefined
  const queues = new Map<string, LaneQueue>()

  function queue(cluster: string): LaneQueue {
    const known = queues.get(cluster)
    if (known) return known
    const opened = openQueue(cluster, prefix, redis)
    queues.set(cluster, opened)
    return opened
  }

  async function close(): Promise<void> {
    await Promise.allSettled([...queues.values()].map((one) => one.close()))
    redis.disconnect()
    patient?.disconnect()
  }

  await gate.settled(FIRST_LOOK_MS)
  const unfit = gate.trouble()
  if (unfit && unfit.code !== "lanes/redis-unavailable") {
    await close()
    throw unfit
  }
  return {
    wake: wakeThrough(gate, queue, options.timeLimit ?? WAKE_LIMIT_MS),
    trouble: gate.trouble,
    onOpen: gate.onOpen,
    key,
    redis,
    patientRedis() {
      patient ??= connectRedis(address, { failFast: false, onError })
      return patient
    },
    prefix,
    queue,
    close,
  }
}

/** Wake-ups of one lane, source and mode on their way to Redis. */
interface Line {
  latest: WakeUp
  add: () => Promise<void>
}

function wakeThrough(
  gate: RedisGate,
  queue: (cluster: string) => LaneQueue,
  timeLimit: number,
): Lanes["wake"] {
  const lines = new Map<string, Line>()

  function openLine(cluster: string, first: WakeUp): Line {
    let addedAt = Number.NEGATIVE_INFINITY
    const line: Line = {
      latest: first,
      add: shareNext(async (signal) => {
        const soon = addedAt + ADD_GAP_MS - performance.now()
        if (soon > 0) await systemClock.sleep(soon, signal)
        addedAt = performance.now()
        await addWakeUp(queue(cluster), line.latest)
      }),
    }
    return line
  }

  return async function wake(cluster, wakeUp) {
    const trouble = gate.trouble()
    if (trouble) throw trouble
    // Wake-ups that come while one is on its way to Redis share the next: a burst of webhooks costs Redis few.
    const name = [cluster, wakeUp.source, wakeUp.mode].join("/")
    const line = lines.get(name) ?? openLine(cluster, wakeUp)
    line.latest = wakeUp
    lines.set(name, line)
    await withTimeLimit(
      line.add(),
      timeLimit,
      () => new HeadraceError("lanes/redis-slow", `Redis did not take a wake-up for ${cluster} in time`),
    )
  }
}

async function addWakeUp(queue: LaneQueue, wakeUp: WakeUp): Promise<void> {
  try {
    // keepLastIfActive, not BullMQ's simple mode: that one drops what comes while the job is active.
    const deduplication = { id: `${wakeUp.source}/${wakeUp.mode}`, keepLastIfActive: true }
    // With every wake-up, just ahead: a Redis that was emptied would hand those of two sources to two workers.
    const held = queue.setGlobalConcurrency(1)
    await Promise.all([held, queue.add("wake-up", { wakeUp, failures: 0 }, { deduplication })])
  } catch (cause) {
    throw redisError(`a wake-up for ${queue.name}`, cause)
  }
}

function openQueue(cluster: string, prefix: string, redis: RedisClient): LaneQueue {
  const queue: LaneQueue = new Queue(laneName(cluster), {
    connection: redis,
    prefix,
    streams: { events: { maxLen: KEPT_EVENTS } },
    defaultJobOptions: { removeOnComplete: { count: KEPT_DONE }, removeOnFail: { count: KEPT_FAILED } },
  })
  // Connection errors are logged by the gate; without a listener they would end the process.
  queue.on("error", () => undefined)
  return queue
}

/** Name of a cluster's queue. */
export function laneName(cluster: string): string {
  return `lane-${cluster}`
}

/** Redis Cluster places a key by what stands in braces; BullMQ's scripts touch many keys, which must lie together. */
function hashTag(prefix: string): string {
  return `{${prefix}}`
}
