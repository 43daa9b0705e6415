import type { Clock } from "../../foundation/clock.ts"
import type { Stages } from "./ports.ts"

/** Adds up where a run's time goes. */
export interface Stopwatch {
  stages: Stages
  /** Runs `work` and counts its time to `stage`, whether it succeeds or not. */
  time<Result>(stage: keyof Stages, work: () => Promise<Result>): Promise<Result>
}

export function startStopwatch(clock: Clock): Stopwatch {
  const stages: Stages = { fetch: 0, plan: 0, store: 0, view: 0, record: 0 }
  async function time<Result>(stage: keyof Stages, work: () => Promise<Result>): Promise<Result> {
    const start = clock.now()
    try {
      return await work()
    } finally {
      stages[stage] += clock.now() - start
    }
  }
  return { stages, time }
}
