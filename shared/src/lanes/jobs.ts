import { type Job, Queue, Worker } from "bullmq"
import { errorText, HeadraceError } from "../foundation/errors.ts"
import type { Log } from "../observe/log.ts"
import { BLOCK_SECONDS, BriefWorker } from "./brief-worker.ts"
import { closeWorker } from "./close-worker.ts"
import type { Lanes } from "./open-lanes.ts"
import { repairQueue } from "./repair-queue.ts"

/** Thrown by a handler that was asked to come back later (a rate limit): no attempt is counted, all jobs wait. */
export class ComeBackLater extends HeadraceError {
  readonly milliseconds: number

  constructor(milliseconds: number, why: string) {
    super("lanes/come-back-later", why)
    this.milliseconds = milliseconds
  }
}

export interface JobOptions {
  /** Name of the queue; no `:`. */
  name: string
  /** Does what the job `id` asks for, from the state of things when it begins. */
  handler(id: string): Promise<void>
  /** At least this many milliseconds lie between two jobs, among all workers. */
  pace: number
  /** Milliseconds before a new job begins, so that what comes together is done together. */
  gather: number
  /** Milliseconds before the second attempt; each later one waits twice as long. */
  backoff?: number
  log: Log
}

/** Jobs by name, done one at a time, repeated until they succeed. */
export interface Jobs {
  /** From when this returns, the job is run once more. */
  ask(id: string): Promise<void>
  close(): Promise<void>
}

const ATTEMPTS = 12
const BACKOFF_MS = 2000
const KEPT_FAILED = 100
const REPAIR_MS = 5000

/**
 * Works jobs that any program may ask for; one is run at a time, by whichever worker, and what is asked for while
 * it runs makes one more run. A failure is tried again, waiting longer each time, for some two hours.
 */
export function workJobs(lanes: Lanes, options: JobOptions): Jobs {
  const { name, log } = options
  const queue = new Queue<{ id: string }>(name, {
    connection: lanes.redis,
    prefix: lanes.prefix,
    defaultJobOptions: {
      attempts: ATTEMPTS,
      backoff: { type: "exponential", delay: options.backoff ?? BACKOFF_MS, jitter: 0.5 },
      removeOnComplete: true,
      removeOnFail: { count: KEPT_FAILED },
    },
  })
  queue.on("error", () => undefined)
  let worker: BriefWorker<{ id: string }> | undefined
  let closed = false

  async function open(): Promise<void> {
    // Of all workers together: GitHub wants its requests one after the other, and one that was asked to wait must
    // not be overtaken by another's that is under way. It is in Redis, which may have lost it.
    await repairQueue(lanes.redis, queue, [])
    if (closed || worker) return
    worker = new BriefWorker<{ id: string }>(name, (job) => runJob(job, queue, options), {
      connection: lanes.patientRedis(),
      prefix: lanes.prefix,
      limiter: { max: 1, duration: options.pace },
      maxStalledCount: ATTEMPTS,
      lockDuration: 30_000,
      stalledInterval: 5000,
      drainDelay: BLOCK_SECONDS,
      runRetryDelay: 1000,
    })
    worker.on("error", (error) => log.debug({ err: error.message }, "job worker met an error"))
    worker.on("failed", (job, error) =>
      log.warn({ job: job?.data.id, attempt: job?.attemptsMade, err: errorText(error) }, "job failed"),
    )
  }
  const repairs = setInterval(() => {
    if (lanes.trouble() === undefined) repairQueue(lanes.redis, queue, []).catch(() => undefined)
  }, REPAIR_MS)
  lanes.onOpen(() => {
    if (!closed)
      open().catch((error: unknown) => log.debug({ err: errorText(error) }, "jobs cannot be worked"))
  })
  return {
    async ask(id) {
      // Redis may have been full, or slow, when it came back: no event would show that it no longer is.
      await open()
      await repairQueue(lanes.redis, queue, [id])
      await queue.add("job", { id }, { delay: options.gather, deduplication: { id, keepLastIfActive: true } })
    },
    async close() {
      closed = true
      clearInterval(repairs)
      if (worker) await closeWorker(worker, lanes, log)
      await queue.close()
    },
  }
}

async function runJob(job: Job<{ id: string }>, queue: Queue, options: JobOptions): Promise<void> {
  try {
    await options.handler(job.data.id)
  } catch (error) {
    if (!(error instanceof ComeBackLater)) throw error
    options.log.info({ job: job.data.id, milliseconds: error.milliseconds }, "jobs come back later")
    // A server that asks us to wait means all of us: a request for another job would prolong the limit.
    await queue.rateLimit(error.milliseconds)
    throw Worker.RateLimitError()
  }
}
