import { quantile } from "../bench/quantile.ts"
import type { ProcUsage } from "../harness/proc-usage.ts"

/** What an agent holds at a revision, and has done up to it. */
export interface Sample extends ProcUsage {
  seq: number
  /** Names below the folder of its projections. */
  inodes: number
  leaseWrites: number
  published: number
}

/** A figure in the first and the last third of a soak. */
export interface Verdict {
  what: string
  first: number
  last: number
  flat: boolean
}

/** Samples while the agent warms up, which are not looked at. */
const WARM_UP = 2

/** How much more than in the first third is still flat: what one collection, socket or revision more makes. */
const SLACK = { megabytes: 6, handles: 4, threads: 1, inodes: 0.05, writes: 4 }

/**
 * Whether what grows with a leak stayed as it was, the last third against the first: by its highest; memory and
 * inodes by their median, since their highest says when the collector, or retention, was last late. Pure.
 */
export function flatness(samples: readonly Sample[]): Verdict[] {
  const steady = samples.slice(WARM_UP)
  const third = Math.ceil(steady.length / 3)
  const [first, last] = [steady.slice(0, third), steady.slice(-third)]
  if (third === 0) throw new Error("the soak was too short to say anything")
  function compare(
    what: string,
    of: (sample: Sample) => number,
    slack: (first: number) => number,
    sum: (values: readonly number[]) => number = (values) => Math.max(...values),
  ): Verdict {
    const [before, after] = [first, last].map((part) => Math.round(sum(part.map(of)) * 10) / 10)
    if (before === undefined || after === undefined) throw new Error("a third is missing")
    return { what, first: before, last: after, flat: after <= before + slack(before) }
  }
  const writes = new Map(samples.map((sample, at) => [sample, leaseWritesOf(samples, at)]))
  return [
    compare(
      "resident MB",
      (one) => one.residentMegabytes,
      () => SLACK.megabytes,
      median,
    ),
    compare(
      "handles",
      (one) => one.handles,
      () => SLACK.handles,
    ),
    compare(
      "threads",
      (one) => one.threads,
      () => SLACK.threads,
    ),
    compare(
      "inodes",
      (one) => one.inodes,
      (before) => before * SLACK.inodes,
      median,
    ),
    compare(
      "Lease writes between samples",
      (one) => writes.get(one) ?? 0,
      () => SLACK.writes,
    ),
  ]
}

/** The newest sample as a line; the first comes with a heading. */
export function sampleLine(samples: readonly Sample[]): string {
  const at = samples.length - 1
  const now = samples[at]
  const before = samples[at - 1]
  if (now === undefined) return ""
  const cpu = now.cpuSeconds - (before?.cpuSeconds ?? 0)
  const values = [
    now.seq,
    now.published - (before?.published ?? 0),
    now.residentMegabytes.toFixed(1),
    now.handles,
    now.threads,
    now.inodes,
    leaseWritesOf(samples, at),
    cpu.toFixed(1),
  ]
  const heads = ["revision", "published", "MB", "handles", "threads", "inodes", "Lease writes", "CPU s"]
  const line = values.map((value, column) => String(value).padStart(heads[column]?.length ?? 0)).join("  ")
  return at === 0 ? `${heads.join("  ")}\n${line}` : line
}

function leaseWritesOf(samples: readonly Sample[], at: number): number {
  return (samples[at]?.leaseWrites ?? 0) - (samples[at - 1]?.leaseWrites ?? 0)
}

function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}
