import type { Clock } from "../../foundation/clock.ts"
import { HeadraceError } from "../../foundation/errors.ts"
import type { Token } from "../../record/record.ts"
import type { ReconcileMemory } from "./memory.ts"
import type { Interval, ReconcilePorts, ReconcileRequest, Stages } from "./ports.ts"

/** What one call of reconcile hands through its steps. */
export interface Run {
  request: ReconcileRequest
  ports: ReconcilePorts
  memory: ReconcileMemory
  watch: Stopwatch
  signal: AbortSignal
  /** In force earlier, and beyond all that the record knows: an earlier record was put back (known-token.ts). */
  beyond?: Token | undefined
  /** Of the record that it works in: a lost one is another than the next. */
  recordUid?: string | undefined
}

/** The error of a run whose record others keep changing. */
export function contended(source: string, cause: unknown): HeadraceError {
  return new HeadraceError("reconcile/contended", `the record of ${source} kept changing`, {
    hint: "Wait: nothing is lost, and the next wake-up tries again.",
    cause,
  })
}

/** Adds up where a run's time goes. */
export interface Stopwatch {
  stages: Stages
  /** The same in the order in which they began. */
  intervals: readonly Interval[]
  /** Runs `work` and counts its time to `stage`, whether it succeeds or not. */
  time<Result>(stage: keyof Stages, work: () => Promise<Result>): Promise<Result>
}

/** `onStage` hears of each stage when it begins. */
export function startStopwatch(clock: Clock, onStage?: (stage: keyof Stages) => void): Stopwatch {
  const stages: Stages = { fetch: 0, plan: 0, store: 0, view: 0, record: 0 }
  const intervals: Interval[] = []
  async function time<Result>(stage: keyof Stages, work: () => Promise<Result>): Promise<Result> {
    const start = clock.now()
    const interval = { stage, start, end: start }
    intervals.push(interval)
    onStage?.(stage)
    try {
      return await work()
    } finally {
      interval.end = clock.now()
      stages[stage] += interval.end - start
    }
  }
  return { stages, intervals, time }
}
