import type { MarkedRun } from "../harness/run-marked.ts"

/** Reconciles of a lane, by all plugins. */
export interface LaneRuns {
  /** That moved the record. */
  applied: number
  /** That found nothing to do. */
  noop: number
  failed: number
  /** Most of them under way at one time. */
  atOnce: number
}

interface Entry {
  time: number
  cluster: string
  msg: string
  result?: string
  milliseconds?: number
}

/** Reads the reconciles of each cluster's lane from what the plugins logged. */
export function laneRuns(
  plugins: readonly Pick<MarkedRun, "output">[],
  clusters: readonly string[],
): Record<string, LaneRuns> {
  const entries = plugins.flatMap((plugin) => readEntries(plugin.output()))
  return Object.fromEntries(
    clusters.map((cluster) => [cluster, countRuns(entries.filter((one) => one.cluster === cluster))]),
  )
}

function countRuns(entries: readonly Entry[]): LaneRuns {
  const done = entries.filter(({ msg }) => msg === "reconciled")
  const ofResult = (result: string) => done.filter((one) => one.result === result).length
  return {
    applied: ofResult("applied"),
    noop: ofResult("noop"),
    failed: entries.filter(({ msg }) => msg === "reconcile failed").length,
    atOnce: mostAtOnce(done),
  }
}

/** A line states when a reconcile ended and how long it took. */
function mostAtOnce(done: readonly Entry[]): number {
  const steps = done.flatMap(({ time, milliseconds = 0 }) => [
    { at: time - milliseconds, step: 1 },
    { at: time, step: -1 },
  ])
  let now = 0
  let most = 0
  for (const { step } of steps.sort((a, b) => a.at - b.at || a.step - b.step)) {
    now += step
    most = Math.max(most, now)
  }
  return most
}

function readEntries(output: string): Entry[] {
  return output
    .split("\n")
    .filter((line) => line.includes("reconcile"))
    .map((line) => {
      const entry = JSON.parse(line)
      return { ...entry, time: new Date(entry.time).getTime() }
    })
}
