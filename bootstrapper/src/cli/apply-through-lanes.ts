import { systemClock } from "@headrace/shared/foundation/clock"
import { errorText, type HeadraceError } from "@headrace/shared/foundation/errors"
import { namedText } from "@headrace/shared/foundation/named-text"
import { hasLiveWorker } from "@headrace/shared/lanes/lane-heartbeat"
import { type LaneResult, laneResult } from "@headrace/shared/lanes/lane-outcome"
import { drawTicket, lastTicket, readOutcomes, saveOrphans } from "@headrace/shared/lanes/lane-outcomes"
import type { Lanes } from "@headrace/shared/lanes/open-lanes"
import { redisError } from "@headrace/shared/lanes/redis-error"
import { redisRefusal } from "@headrace/shared/lanes/redis-refusal"
import { wakeLanes } from "@headrace/shared/lanes/wake-lanes"
import type { WakeUp } from "@headrace/shared/lanes/wake-up"
import { type LaneWorker, workLane } from "@headrace/shared/lanes/work-lane"
import type { Log } from "@headrace/shared/observe/log"
import type { ReconcileOutcome } from "@headrace/shared/reconcile/run/ports"

/** Works a wake-up; opened only when a lane has no live worker. */
export interface LaneReconciler {
  run(cluster: string, source: string, mode: WakeUp["mode"], signal: AbortSignal): Promise<ReconcileOutcome>
}

export interface ApplyThroughLanesOptions {
  lanes: Lanes
  clusters: readonly string[]
  sources: readonly string[]
  mode: WakeUp["mode"]
  /** For the log of the worker: `operator` or `schedule`. */
  reason: string
  /** Called at most once. */
  openReconciler(): Promise<LaneReconciler>
  /** Milliseconds to wait for outcomes. */
  timeLimit: number
  /** Hears how many sources of all clusters have an outcome, of how many, and names those that wait. */
  onOutcome?(done: number, total: number, waits: string): void
  log: Log
}

/** What applying a source to a cluster came to; `result` undefined: no outcome within the time. */
export interface LaneApplied {
  cluster: string
  source: string
  result: LaneResult | undefined
  /** Why Redis could not be asked when the time was over; undefined: it could, and the lane has not ended. */
  trouble?: HeadraceError | undefined
  /** True when this program worked the lane itself. */
  own: boolean
}

const LOOK_MS = 200

/**
 * Wakes every lane and waits for the outcomes of work that began after this call, in any process. Works a
 * lane itself when no live worker of it shows. Throws `lanes/…` when Redis cannot be used at the start, and at once
 * whenever it refuses what waiting does not change (it is full, say). A Redis that goes away later, or comes back empty,
 * is waited for and asked again.
 */
export async function applyThroughLanes(
  options: ApplyThroughLanesOptions,
  signal: AbortSignal,
): Promise<LaneApplied[]> {
  const { lanes, clusters } = options
  const trouble = lanes.trouble()
  if (trouble) throw trouble
  const reconciler = once(options.openReconciler)
  const deadline = Date.now() + options.timeLimit
  const waiting = clusters.flatMap((cluster) => options.sources.map((source) => placeName(source, cluster)))
  const job: LaneJob = { options, reconciler, deadline, total: waiting.length, waiting: new Set(waiting) }
  return (await Promise.all(clusters.map((cluster) => applyLane(cluster, job, signal)))).flat()
}

interface LaneJob {
  options: ApplyThroughLanesOptions
  reconciler: () => Promise<LaneReconciler>
  deadline: number
  total: number
  /** Those of all clusters without an outcome, by placeName. */
  waiting: Set<string>
}

/** Places that are named while they are waited for. */
const NAMED = 3

function placeName(source: string, cluster: string): string {
  return `${source} in ${cluster}`
}

function reportOutcomes({ options, total, waiting }: LaneJob): void {
  options.onOutcome?.(total - waiting.size, total, namedText([...waiting], NAMED))
}

async function applyLane(cluster: string, job: LaneJob, signal: AbortSignal): Promise<LaneApplied[]> {
  const { sources } = job.options
  let own: LaneWorker | undefined
  let ticket: number | undefined
  const results = new Map<string, LaneResult>()
  let trouble: HeadraceError | undefined
  try {
    while (results.size < sources.length && Date.now() < job.deadline) {
      signal.throwIfAborted()
      try {
        ticket = await askAgain(cluster, ticket, job.options)
        if (own === undefined && !(await hasLiveWorker(job.options.lanes, cluster))) {
          own = workOwn(cluster, job)
        }
        await collect(cluster, ticket, job.options, results)
        for (const source of results.keys()) job.waiting.delete(placeName(source, cluster))
        reportOutcomes(job)
        trouble = undefined
      } catch (error) {
        trouble = passingTrouble(error, { cluster, before: trouble }, job.options)
      }
      if (results.size < sources.length) await systemClock.sleep(LOOK_MS, signal)
    }
  } finally {
    await own?.close()
  }
  return sources.map((source) => ({
    cluster,
    source,
    result: results.get(source),
    ...(trouble && { trouble }),
    own: own !== undefined,
  }))
}

/** What a question to Redis failed with, logged once; what the lanes know says more than a connection that closed. Throws what does not pass. */
function passingTrouble(
  error: unknown,
  { cluster, before }: { cluster: string; before: HeadraceError | undefined },
  { lanes, log }: ApplyThroughLanesOptions,
): HeadraceError {
  const trouble = redisRefusal("Redis", error) ?? lanes.trouble() ?? redisError("a wake-up", error)
  if (redisRefusal("Redis", trouble)) throw trouble
  if (trouble.message !== before?.message) {
    log.warn({ cluster, err: errorText(trouble) }, "Redis could not be asked; trying again")
  }
  return trouble
}

/** Draws a ticket and wakes the lane, the first time and whenever Redis has forgotten both; gives the ticket. */
async function askAgain(
  cluster: string,
  ticket: number | undefined,
  { lanes, sources, mode, reason }: ApplyThroughLanesOptions,
): Promise<number> {
  if (ticket !== undefined && (await lastTicket(lanes)) >= ticket) return ticket
  const drawn = await drawTicket(lanes)
  await wakeLanes(lanes, [cluster], sources, { mode, reason })
  return drawn
}

async function collect(
  cluster: string,
  ticket: number,
  { lanes, sources, mode }: ApplyThroughLanesOptions,
  results: Map<string, LaneResult>,
): Promise<void> {
  for (const outcome of await readOutcomes(lanes, cluster)) {
    if (outcome.mode !== mode || outcome.ticket < ticket || !sources.includes(outcome.source)) continue
    const { result, commit, failed, error } = outcome
    results.set(outcome.source, { result, commit, failed, error })
  }
}

function workOwn(cluster: string, { options, reconciler }: LaneJob): LaneWorker {
  options.log.info({ cluster }, "no live worker: working the lane here")
  return workLane(
    options.lanes,
    cluster,
    async ({ source, mode }, signal) => {
      const opened = await reconciler()
      const outcome = await opened.run(cluster, source, mode, signal)
      if (outcome.orphans !== undefined) await saveOrphans(options.lanes, cluster, source, outcome.orphans)
      return laneResult(outcome)
    },
    { log: options.log, sources: options.sources },
  )
}

function once<T>(open: () => Promise<T>): () => Promise<T> {
  let opened: Promise<T> | undefined
  return () => {
    opened ??= open()
    return opened
  }
}
