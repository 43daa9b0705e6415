import { Queue } from "bullmq"
import { systemClock } from "../foundation/clock.ts"
import { HeadraceError } from "../foundation/errors.ts"
import { shareNext } from "../foundation/share-next.ts"
import { withTimeLimit } from "../foundation/time-limit.ts"
import type { Log } from "../observe/log.ts"
import { connectRedis, type RedisClient } from "./connect-redis.ts"
import { dropOversized } from "./drop-oversized.ts"
import { heldUpBy, notePause } from "./lane-pauses.ts"
import { parseRedisUrl, redisAddressText } from "./redis-address.ts"
import { redisError } from "./redis-error.ts"
import { type RedisGate, watchRedis } from "./redis-gate.ts"
import { repairQueue, WRONG_TYPE } from "./repair-queue.ts"
import { type LaneJob, type WakeUp, wakeUpName } from "./wake-up.ts"

export interface OpenLanesOptions {
  /** A Redis URL (redis-address.ts lists the forms). */
  redis: string
  /** First part of every key; two installations in one Redis need two. */
  prefix?: string
  /** Milliseconds that a wake-up may take to be accepted. */
  timeLimit?: number
  /** Milliseconds that opening may wait for Redis. */
  firstLook?: number
  /** Bytes of one reply of Redis; absent: the default of `bounds.redisReply`. */
  mostReply?: number | undefined
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
  /** Lets Redis be checked soon, since a command of it failed. */
  suspect(): void
  /**
   * Repairs the queue of a lane after Redis lost keys of it, logs what was repaired and gives it; `names` are the
   * deduplication names to check. Nothing is lost when a lane is new.
   */
  repair(cluster: string, names: readonly string[]): Promise<readonly string[]>
  /** How often the queue of each lane was repaired by this program. */
  repairs(): ReadonlyMap<string, number>
  /** How often each lane was resumed by this program, after another one had paused it. */
  resumes(): ReadonlyMap<string, number>
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
  const { mostReply } = options
  const address = parseRedisUrl(options.redis)
  const where = redisAddressText(address)
  const prefix = hashTag(options.prefix ?? "headrace")
  const key = (...parts: string[]) => [prefix, ...parts].join(":")
  // The gate logs an outage once; each attempt to reconnect is for debugging.
  const onError = (error: Error) =>
    options.log.debug({ redis: where, err: error.message }, "redis connection failed")

  const onOversized = dropOversized({ address, prefix, mostReply, log: options.log })
  const connection = { mostReply, onError, onOversized }

  const redis = connectRedis(address, { failFast: true, timeLimit: COMMAND_LIMIT_MS, ...connection })
  const user = address.username ?? "default"
  const gate = watchRedis(redis, { where, user, prefix, formatKey: key("format"), log: options.log })
  let patient: RedisClient | undefined
  const queues = new Map<string, LaneQueue>()
  const repairs = new Map<string, number>()
  const resumes = new Map<string, number>()

  function queue(cluster: string): LaneQueue {
    const known = queues.get(cluster)
    if (known) return known
    const opened = openQueue(cluster, prefix, redis)
    queues.set(cluster, opened)
    return opened
  }

  async function repair(cluster: string, names: readonly string[]): Promise<readonly string[]> {
    const repaired = await repairQueue(redis, queue(cluster), names)
    const before = repairs.get(cluster)
    // What is new lacks what every queue has.
    const lost = before === undefined ? repaired.filter((what) => what !== "meta" && what !== "id") : repaired
    repairs.set(cluster, (before ?? 0) + (lost.length > 0 ? 1 : 0))
    const heldUp = heldUpBy(lost)
    if (heldUp.length > 0) {
      resumes.set(cluster, (resumes.get(cluster) ?? 0) + 1)
      options.log.warn({ cluster, by: heldUp }, "another program had paused this lane; resumed")
      await notePause({ redis, key }, cluster)
    }
    const retyped = lost.filter((what) => what.endsWith(WRONG_TYPE))
    if (retyped.length > 0) {
      const keys = retyped.map((what) => queue(cluster).toKey(what.slice(0, -WRONG_TYPE.length)))
      const err = "WRONGTYPE: another program wrote it with another type"
      options.log.warn({ cluster, keys, err, repaired: lost }, "a key of this lane was overwritten; deleted")
    } else if (lost.length > heldUp.length)
      options.log.warn({ cluster, repaired: lost }, "redis had lost a part of this lane")
    return lost
  }

  async function close(): Promise<void> {
    gate.close()
    await Promise.allSettled([...queues.values()].map((one) => one.close()))
    redis.disconnect()
    patient?.disconnect()
  }

  await gate.settled(options.firstLook ?? FIRST_LOOK_MS)
  const unfit = gate.trouble()
  if (unfit && unfit.code !== "lanes/redis-unavailable") {
    await close()
    throw unfit
  }
  return {
    wake: wakeThrough(
      gate,
      (cluster, wakeUp) => addWakeUp({ queue: queue(cluster), repair }, cluster, wakeUp),
      options.timeLimit ?? WAKE_LIMIT_MS,
    ),
    trouble: () => gate.trouble(),
    suspect: () => gate.suspect(),
    repair,
    repairs: () => repairs,
    resumes: () => resumes,
    onOpen: (listener) => gate.onOpen(listener),
    key,
    redis,
    patientRedis() {
      patient ??= connectRedis(address, { failFast: false, ...connection })
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
  add: (cluster: string, wakeUp: WakeUp) => Promise<void>,
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
        await add(cluster, line.latest)
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
    const late = () =>
      new HeadraceError("lanes/redis-slow", `Redis did not take a wake-up for ${cluster} in time`)
    try {
      await withTimeLimit(line.add(), timeLimit, late)
    } catch (error) {
      gate.suspect()
      throw error
    }
  }
}

async function addWakeUp(
  { queue, repair }: Pick<Lanes, "repair"> & { queue: LaneQueue },
  cluster: string,
  wakeUp: WakeUp,
): Promise<void> {
  const id = wakeUpName(wakeUp)
  try {
    // Just ahead of every wake-up: a Redis that lost a key would swallow it, or let two workers work at once.
    const repaired = repair(cluster, [id])
    // keepLastIfActive, not BullMQ's simple mode: that one drops what comes while the job is active.
    const deduplication = { id, keepLastIfActive: true }
    await Promise.all([repaired, queue.add("wake-up", { wakeUp, failures: 0 }, { deduplication })])
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

/** Name of a cluster's queue. BullMQ takes no colon in it, which clusters have in theirs. */
export function laneName(cluster: string): string {
  return `lane-${encodeURIComponent(cluster)}`
}

/** Redis Cluster places a key by the part in braces; BullMQ's scripts touch many keys, which must lie together. */
function hashTag(prefix: string): string {
  return `{${prefix}}`
}
