import type { Job } from "bullmq"
import { errorText, HeadraceError } from "../foundation/errors.ts"
import type { Log } from "../observe/log.ts"
import { BLOCK_SECONDS, BriefWorker } from "./brief-worker.ts"
import { closeWorker } from "./close-worker.ts"
import { type Heartbeat, startHeartbeat } from "./lane-heartbeat.ts"
import { holdLock, type LaneLock } from "./lane-lock.ts"
import { failedResult, type LaneResult } from "./lane-outcome.ts"
import { lastTicket, saveOutcome } from "./lane-outcomes.ts"
import { scheduleRetry, scheduleTargetRetry } from "./lane-retry.ts"
import { type Lanes, laneName } from "./open-lanes.ts"
import { type OwedWakeUps, oweWakeUps } from "./owed-wake-ups.ts"
import { repairNotes } from "./repair-notes.ts"
import { wakeLanes } from "./wake-lanes.ts"
import {
  holdEndName,
  LANES_FORMAT,
  LaneJob,
  MODES,
  rareRetryName,
  retryName,
  rolloutLookName,
  type WakeUp,
  wakeUpName,
} from "./wake-up.ts"

/** Does what a wake-up asks for. Must stop before its next write when the signal aborts, and then throw. */
export type LaneHandler = (wakeUp: WakeUp, signal: AbortSignal, wait: LaneWait) => Promise<LaneResult>

/** How long a wake-up waited in the queue, in milliseconds since the epoch. */
export interface LaneWait {
  queued: number
  taken: number
}

export interface WorkLaneOptions {
  log: Log
  /** The sources that the lane is woken for: each is looked at again when Redis has lost a part of the lane. */
  sources?: readonly string[]
  /** Milliseconds for which a worker that fell silent keeps its wake-up. */
  lockDuration?: number
  /** Milliseconds between looks for workers that fell silent; two looks are needed. */
  stalledInterval?: number
  /** Milliseconds that `close` lets the handler finish before it aborts it and hands its wake-up back. */
  grace?: number
  /** Called with every outcome, after it was saved; the lane continues when it is done. What it throws is logged. */
  onOutcome?: (wakeUp: WakeUp, result: LaneResult) => Promise<void>
}

/** A worker of one lane. */
export interface LaneWorker {
  /** False while Redis is away or unfit, and once closed. */
  running(): boolean
  /** Finishes what is under way, or hands it back. */
  close(): Promise<void>
}

// A worker killed in mid-work is replaced after lockDuration and one look, at most 5 s; BullMQ's own defaults
// would keep the lane, whose global concurrency is 1, waiting for up to a minute. A lock is renewed every second
// and given up after three, so our event loop must not stand still for two: first reconciles of 10,000 files
// held it for a quarter of one at most, on a machine with five times the work it could do.
const LOCK_MS = 4000
const STALLED_MS = 1000
const GRACE_MS = 10_000
const REPAIR_MS = 2000
const WARN_AGAIN_MS = 60_000

/**
 * Works a cluster's lane, one wake-up at a time among all workers of that lane everywhere (as a rule, not
 * as a promise: the record's token is what keeps writers apart). Starts when Redis is fit, outlives its
 * absence, and repairs the lane whenever Redis has lost a part of it.
 */
export function workLane(
  lanes: Lanes,
  cluster: string,
  handler: LaneHandler,
  options: WorkLaneOptions,
): LaneWorker {
  return new RunningLane(lanes, cluster, handler, options)
}

class RunningLane implements LaneWorker {
  readonly #lanes: Lanes
  readonly #cluster: string
  readonly #handler: LaneHandler
  readonly #options: WorkLaneOptions
  readonly #log: Log
  readonly #stop = new AbortController()
  readonly #heartbeat: Heartbeat
  readonly #owed: OwedWakeUps
  readonly #repairs: NodeJS.Timeout
  #warned = { message: "", until: 0 }
  #worker: BriefWorker<LaneJob> | undefined
  #underWay: Promise<void> | undefined
  #closing: Promise<void> | undefined

  constructor(lanes: Lanes, cluster: string, handler: LaneHandler, options: WorkLaneOptions) {
    this.#lanes = lanes
    this.#cluster = cluster
    this.#handler = handler
    this.#options = options
    this.#log = options.log.child({ cluster })
    this.#heartbeat = startHeartbeat(lanes, cluster, () => this.#alive())
    this.#owed = oweWakeUps((wakeUp) => lanes.wake(cluster, wakeUp))
    this.#repairs = setInterval(() => void this.#repairQuietly(), REPAIR_MS)
    lanes.onOpen(() => void this.#open())
  }

  running(): boolean {
    return (
      this.#closing === undefined && this.#lanes.trouble() === undefined && this.#worker?.isRunning() === true
    )
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #open(): Promise<void> {
    if (this.#closing !== undefined) return
    this.#heartbeat.beat()
    try {
      await this.#repair()
      await this.#owed.retry()
    } catch (error) {
      // The next connect, or the next wake-up, asserts it again.
      this.#log.warn({ err: errorText(error) }, "lane could not be prepared")
    }
    if (this.#worker === undefined && this.#closing === undefined) this.#start()
  }

  /** It works, or is about to. */
  #alive(): boolean {
    return this.#worker === undefined ? this.#closing === undefined : this.running()
  }

  /** A Redis that lost keys may have lost a wake-up with them, so every source is looked at again. */
  async #repair(): Promise<void> {
    const sources = this.#options.sources ?? []
    const lines = sources.flatMap((source) => MODES.map((mode) => ({ source, mode })))
    const names = [
      ...lines.flatMap((line) => [wakeUpName(line), retryName(line), rareRetryName(line)]),
      ...sources.map((source) => holdEndName(source)),
      ...sources.map((source) => rolloutLookName(source)),
    ]
    // Each wake-up waits for both: they touch different keys, so side by side.
    const [lost] = await Promise.all([this.#lanes.repair(this.#cluster, names), this.#repairNotes(sources)])
    if (lost.length === 0) return
    await wakeLanes(this.#lanes, [this.#cluster], sources, { mode: "incremental", reason: "repair" })
  }

  async #repairNotes(sources: readonly string[]): Promise<void> {
    const { key, redis } = this.#lanes
    const cluster = this.#cluster
    const keys = await repairNotes(redis, {
      hash: ["outcomes", "successes", "orphans"].map((name) => key(name, cluster)),
      text: [key("ticket"), key("resumed", cluster)],
      sorted: [
        key("workers", cluster),
        key("deliveries"),
        key("merges", "open"),
        ...sources.map((source) => key("pending", cluster, source)),
      ],
    })
    if (keys.length > 0) this.#log.warn({ keys }, "a key of ours had another type; deleted")
  }

  async #repairQuietly(): Promise<void> {
    if (this.#lanes.trouble()) return
    try {
      await this.#repair()
    } catch {
      this.#lanes.suspect()
    }
  }

  #start(): void {
    const worker = new BriefWorker<LaneJob>(
      laneName(this.#cluster),
      (job, token) => this.#track(job, token),
      {
        connection: this.#lanes.patientRedis(),
        prefix: this.#lanes.prefix,
        lockDuration: this.#lockDuration(),
        // holdLock renews.
        skipLockRenewal: true,
        stalledInterval: this.#options.stalledInterval ?? STALLED_MS,
        // A wake-up is never given up for having killed its worker: the lane would stay behind for good.
        maxStalledCount: Number.MAX_SAFE_INTEGER,
        drainDelay: BLOCK_SECONDS,
        runRetryDelay: 1000,
      },
    )
    worker.on("error", (error) => this.#onError(error))
    worker.on("stalled", (jobId) =>
      this.#log.warn({ job: jobId }, "took over from a worker that fell silent"),
    )
    this.#worker = worker
  }

  #onError(error: Error): void {
    // BullMQ reports every attempt, several a second; the gate logs why Redis cannot be used, once.
    this.#lanes.suspect()
    this.#log.debug({ err: error.message }, "lane worker met an error")
    this.#warnSparingly(error.message)
  }

  /** The same error again is no news for a while. */
  #warnSparingly(message: string): void {
    const now = performance.now()
    if (this.#lanes.trouble() || (message === this.#warned.message && now < this.#warned.until)) return
    this.#warned = { message, until: now + WARN_AGAIN_MS }
    this.#log.warn({ err: message }, "lane worker met an error")
  }

  #lockDuration(): number {
    return this.#options.lockDuration ?? LOCK_MS
  }

  #hold(job: Job<LaneJob>, token: string): LaneLock {
    const { id = "", processedOn = Date.now() } = job
    const lifetime = this.#lockDuration()
    return holdLock({
      since: processedOn,
      lifetime,
      renew: async () => (await this.#worker?.extendJobLocks([id], [token], lifetime))?.length === 0,
    })
  }

  #track(job: Job<LaneJob>, token = ""): Promise<void> {
    const work = this.#work(job, token)
    this.#underWay = work
      .catch(() => undefined)
      .finally(() => {
        this.#underWay = undefined
      })
    return work
  }

  async #work(job: Job<LaneJob>, token: string): Promise<void> {
    const { wakeUp, failures } = readJob(job)
    if (this.#options.sources?.includes(wakeUp.source) === false) return this.#dropUnknown(wakeUp, failures)
    const lock = this.#hold(job, token)
    const signal = AbortSignal.any([lock.signal, this.#stop.signal])
    try {
      await this.#repair()
      const ticket = await lastTicket(this.#lanes)
      const { timestamp: queued, processedOn: taken = Date.now() } = job
      const result = await this.#handle(wakeUp, signal, { queued, taken })
      await this.#tell(wakeUp, result, ticket)
      await this.#retry(wakeUp, failures + 1, result)
    } catch (error) {
      // Not done, or not by us: somebody has to look again.
      this.#log.warn({ source: wakeUp.source, err: errorText(error) }, "wake-up handed back")
      await this.#owed.handBack(wakeUp)
      throw error
    } finally {
      lock.release()
    }
  }

  /**
   * A source that these settings lack: another plugin may have got newer ones, so it comes again a few times. Nothing is kept
   * of it, neither in Redis nor as a label of a metric: a forged name would grow them.
   */
  async #dropUnknown(wakeUp: WakeUp, failures: number): Promise<void> {
    this.#log.warn({ source: wakeUp.source }, "wake-up for a source that the settings do not have")
    await scheduleRetry(this.#lanes.queue(this.#cluster), wakeUp, failures + 1, "settings/unknown-source")
  }

  /** The handler's result; its error as a result, too, unless the signal was the reason. */
  async #handle(wakeUp: WakeUp, signal: AbortSignal, wait: LaneWait): Promise<LaneResult> {
    try {
      return await this.#handler(wakeUp, signal, wait)
    } catch (error) {
      if (signal.aborted) throw error
      this.#log.error({ source: wakeUp.source, err: errorText(error) }, "reconcile failed")
      return failedResult(error)
    }
  }

  async #tell(wakeUp: WakeUp, result: LaneResult, ticket: number): Promise<void> {
    const { source, mode } = wakeUp
    const outcome = { ...result, format: LANES_FORMAT, source, mode, ticket, at: Date.now() } as const
    await saveOutcome(this.#lanes, this.#cluster, outcome)
    await this.#options.onOutcome?.(wakeUp, result).catch((error: unknown) => {
      this.#log.error({ source, err: errorText(error) }, "outcome could not be passed on")
    })
  }

  async #retry(wakeUp: WakeUp, failures: number, { result, error, failed }: LaneResult): Promise<void> {
    const queue = this.#lanes.queue(this.#cluster)
    if (result === "failed") await scheduleRetry(queue, wakeUp, failures, error?.code)
    else await scheduleTargetRetry(queue, wakeUp, failures, failed)
  }

  async #close(): Promise<void> {
    clearInterval(this.#repairs)
    await this.#heartbeat.stop()
    const worker = this.#worker
    if (worker === undefined) return
    const handBack = setTimeout(() => {
      this.#stop.abort(
        new HeadraceError("lanes/handed-back", "the program ends; the wake-up goes back to its lane"),
      )
    }, this.#options.grace ?? GRACE_MS)
    try {
      await worker.pause(true)
      // A wake-up that was being fetched as we paused is worked still.
      do await this.#underWay
      while (!(await closeWorker(worker, this.#lanes, this.#log)) && this.#underWay !== undefined)
    } finally {
      clearTimeout(handBack)
      this.#owed.stop()
    }
  }
}

function readJob(job: Job<LaneJob>): LaneJob {
  const parsed = LaneJob.safeParse(job.data)
  if (parsed.success) return parsed.data
  throw new HeadraceError("lanes/unknown-wake-up", `wake-up ${job.id} of ${job.queueName} does not read`, {
    hint: "Upgrade this program: a newer version of Headrace wrote it.",
    cause: parsed.error,
  })
}
