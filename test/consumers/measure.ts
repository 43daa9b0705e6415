import { setTimeout as delay } from "node:timers/promises"
import { type Consumer, type Running, rowOf } from "./consumer.ts"
import { goFirst } from "./priority.ts"
import { type Cell, createRecorder, type Recorder } from "./recorder.ts"
import type { Site, Through } from "./site.ts"

/** A revision counts as noticed within this time. */
const LIMIT_MS = 2000
/** A row that has missed this many in a row is not waited for any more; what it notices still counts. */
const DEAF_AFTER = 5
/** Of the time that is given; the rest is for flips, if any are wanted. */
const PACED_SHARE = 0.6
/** A row that has missed this many in all is not waited for either. */
const UNRELIABLE_AFTER = 25
/** Until all consumers have started; those that have nothing to read never report. */
const START_MS = 60_000
/** So long without a newer reading after the last of many flips: nothing more comes. */
const QUIET_MS = 5000
const POLL = 2

export interface MeasureOptions {
  site: Site
  consumers: readonly { consumer: Consumer; through: readonly Through[] }[]
  /** Revisions one at a time, the next when all have noticed it and listen again. */
  paced: number
  /** Revisions one after the other. */
  flips: number
  /** Milliseconds in which a revision counts as noticed; LIMIT_MS unless given. */
  limit?: number
  /** Begins no further revision after this, by performance.now(). */
  until?: number
  /** Ends the programs and rejects with its reason: a test that has timed out. */
  signal?: AbortSignal
  onProgress?(text: string): void
}

/** Runs all consumers on one site at the same time, and gives what each row had. */
export async function measure(options: MeasureOptions): Promise<Map<string, Cell>> {
  const { site, consumers, signal } = options
  const recorder = createRecorder()
  recorder.begin(1)
  await site.publish(1)
  const running: Running[] = []
  const stopAll = async () => void (await Promise.all(running.map((each) => each.stop())))
  signal?.addEventListener("abort", stopAll, { once: true })
  try {
    for (const { consumer, through } of consumers) {
      signal?.throwIfAborted()
      running.push(await consumer.start(site, recorder.report, through))
    }
    const rows = consumers.flatMap(({ consumer, through }) => through.map((way) => rowOf(consumer.name, way)))
    await untilStarted(rows, recorder)
    const cells = await paced(options, rows, recorder, running)
    await flipQuickly(options, cells, recorder, running)
    for (const [row, cell] of cells) Object.assign(cell, recorder.counts(row))
    return cells
  } finally {
    signal?.removeEventListener("abort", stopAll)
    await stopAll()
  }
}

async function paced(
  {
    site,
    paced,
    flips,
    limit = LIMIT_MS,
    until = Number.POSITIVE_INFINITY,
    signal,
    onProgress,
  }: MeasureOptions,
  rows: readonly string[],
  recorder: Recorder,
  running: readonly Running[],
): Promise<Map<string, Cell>> {
  const cells = new Map(rows.map((row) => [row, emptyCell()]))
  const end = performance.now() + (until - performance.now()) * (flips === 0 ? 1 : PACED_SHARE)
  const missed = new Map<string, number>()
  for (let seq = 2; seq < paced + 2 && performance.now() < end; seq++) {
    signal?.throwIfAborted()
    recorder.begin(seq)
    await publish(site, seq, running)
    const awaited = new Set(
      rows.filter((row) => {
        const { paced, noticed } = cells.get(row) ?? emptyCell()
        return (missed.get(row) ?? 0) < DEAF_AFTER && paced - noticed < UNRELIABLE_AFTER
      }),
    )
    await untilAll([...awaited], (row) => recorder.delayOf(row, seq) !== undefined, limit)
    await untilAllListen(running, awaited, limit)
    for (const [row, cell] of cells) {
      const took = recorder.delayOf(row, seq)
      cell.paced += 1
      const isNoticed = took !== undefined && took <= limit
      missed.set(row, isNoticed ? 0 : (missed.get(row) ?? 0) + 1)
      if (!isNoticed) continue
      cell.noticed += 1
      cell.delays.push(Math.round(took))
    }
    if (seq % 100 === 0) onProgress?.(`${site.publisher}: ${seq} paced`)
  }
  return cells
}

async function flipQuickly(
  { site, flips, until = Number.POSITIVE_INFINITY, signal, onProgress }: MeasureOptions,
  cells: ReadonlyMap<string, Cell>,
  recorder: Recorder,
  running: readonly Running[],
): Promise<void> {
  const first = 2 + Math.max(0, ...[...cells.values()].map(({ paced }) => paced))
  let last = first - 1
  const flip = async () => {
    signal?.throwIfAborted()
    last += 1
    recorder.begin(last)
    await publish(site, last, running)
    if (last % 1000 === 0) onProgress?.(`${site.publisher}: ${last} flips`)
  }
  // Consumers that read without a pause would leave two cores no time for the flips.
  const stepBack = goFirst()
  try {
    while (last - first + 2 < flips && performance.now() < until) await flip()
  } finally {
    stepBack()
  }
  // No other follows the last one, so it comes when they listen: the kernel drops events of a watcher that has 16,384 of
  // them waiting (inotify(7), max_queued_events), on any mount.
  await untilAllListen(running, new Set(cells.keys()), START_MS)
  if (flips > 0) await flip()
  if (flips > 0) await untilQuiet([...cells.keys()], recorder, last)
  for (const [row, cell] of cells) {
    cell.flips = last - first + 1
    cell.isCurrent = recorder.latest(row) >= last
  }
}

/** Waits until all rows have read something; no longer than usual once no other row begins to. */
async function untilStarted(rows: readonly string[], recorder: Recorder): Promise<void> {
  await untilAll([recorder], () => rows.some((row) => recorder.latest(row) >= 1), START_MS)
  await untilQuiet(rows, recorder, 1)
}

/** Waits until all rows have read the last revision, or none of them has read a newer one for a while. */
async function untilQuiet(rows: readonly string[], recorder: Recorder, last: number): Promise<void> {
  let [seen, since] = ["", performance.now()]
  while (performance.now() - since < QUIET_MS && !rows.every((row) => recorder.latest(row) >= last)) {
    const now = rows.map((row) => recorder.latest(row)).join()
    if (now !== seen) [seen, since] = [now, performance.now()]
    await delay(50)
  }
}

async function publish(site: Site, seq: number, running: readonly Running[]): Promise<void> {
  await site.publish(seq)
  for (const each of running) each.notify?.()
}

async function untilAllListen(
  running: readonly Running[],
  awaited: ReadonlySet<string>,
  limit: number,
): Promise<void> {
  await untilAll(running, (each) => each.listens?.((row) => awaited.has(row)) ?? true, limit)
}

/** Waits until all are so, or the time is up. */
async function untilAll<T>(all: readonly T[], isSo: (each: T) => boolean, limit: number): Promise<void> {
  const end = performance.now() + limit
  while (!all.every(isSo) && performance.now() < end) await delay(POLL)
}

function emptyCell(): Cell {
  return {
    paced: 0,
    noticed: 0,
    delays: [],
    flips: 0,
    readings: 0,
    mixed: 0,
    unreadable: 0,
    isCurrent: false,
  }
}
