import { setTimeout as delay } from "node:timers/promises"
import { errorText } from "@headrace/shared/foundation/errors"
import type { Lanes } from "@headrace/shared/lanes/open-lanes"
import type { Log } from "@headrace/shared/observe/log"
import type { CommitVerdict } from "@headrace/shared/status/judge-commit"
import { closeMerges, keepMerge, openMerges, readMergeNotes } from "./merge-notes.ts"

/** Reads whether commits of a source are live: by commit, then by cluster. */
export type ReadVerdicts = (
  source: string,
  shas: readonly string[],
  options?: {
    /** `namespace/name` of the targets that the commits change, by cluster; absent: every failed target counts. */
    touched?: ReadonlyMap<string, ReadonlySet<string>>
    signal?: AbortSignal
  },
) => Promise<ReadonlyMap<string, ReadonlyMap<string, CommitVerdict>>>

export interface WatchLivePorts {
  lanes: Lanes
  verdicts: ReadVerdicts | undefined
  /** Has a merge reported again. */
  ask(id: string): Promise<void>
  /** Least milliseconds between two looks. */
  look?: number | undefined
  log: Log
}

const LOOK_MS = 700
/** Of the time, a tenth at most is spent looking, however many nodes there are. */
const SHARE = 10
/** What does not change for so long is looked at more rarely. */
const QUIET_AFTER_MS = 600_000
const QUIET_LOOK_MS = 10_000
/** How often what is known of a merge under rollout is kept for longer. */
const KEEP_EVERY_MS = 3_600_000
/** A report that was held back, as it came too soon after another, is asked for once more. */
const ASK_AGAIN_MS = 12_000

interface Watched {
  sha: string
  sources: readonly string[]
  /** What was so at the last look. */
  seen: string
  askedAt: number
  changedAt: number
  /** When what Redis knows of it was last kept for longer. */
  keptAt: number
}

/**
 * Looks at the merges that are not live yet, and has each reported again when a node has followed or something failed.
 * Which merges these are is in Redis, so that a restart loses none; without any, nothing is asked. Ends with the signal.
 */
export async function watchLive(ports: WatchLivePorts, signal: AbortSignal): Promise<void> {
  const { lanes, verdicts, log, look = LOOK_MS } = ports
  if (verdicts === undefined) return
  const watched = new Map<string, Watched>()
  let wait = look
  while (await pause(wait, signal)) {
    if (lanes.trouble()) continue
    const start = performance.now()
    try {
      await followOpen(watched, lanes)
      await askChanged(watched, { ...ports, verdicts }, signal)
    } catch (error) {
      if (signal.aborted) return
      log.warn({ err: errorText(error) }, "merges could not be followed to the nodes")
    }
    wait = Math.max(look, (performance.now() - start) * SHARE, isQuiet(watched) ? QUIET_LOOK_MS : 0)
  }
}

/** Brings what is watched in line with what Redis has. */
async function followOpen(watched: Map<string, Watched>, lanes: Lanes): Promise<void> {
  const open = new Set(await openMerges(lanes))
  for (const id of watched.keys()) if (!open.has(id)) watched.delete(id)
  const gone: string[] = []
  for (const id of open) {
    if (watched.has(id)) continue
    const notes = await readMergeNotes(lanes, id)
    if (notes === undefined) {
      gone.push(id)
      continue
    }
    const { sha, sources } = notes
    watched.set(id, { sha, sources, seen: "", askedAt: 0, changedAt: Date.now(), keptAt: Date.now() })
  }
  // Their delivery has expired, or there was none: they would be read with each look.
  if (gone.length > 0) await closeMerges(lanes, ...gone)
}

async function askChanged(
  watched: Map<string, Watched>,
  { verdicts, ask, lanes, log }: WatchLivePorts & { verdicts: ReadVerdicts },
  signal: AbortSignal,
): Promise<void> {
  const seen = await readSeen(watched, { verdicts, log }, signal)
  for (const [id, merge] of watched) {
    const now = Date.now()
    const { text: current = "", isTried = false } = seen.get(id) ?? {}
    if (isTried && now - merge.keptAt > KEEP_EVERY_MS) {
      merge.keptAt = now
      await keepMerge(lanes, id)
    }
    const isChanged = current !== merge.seen
    if (isChanged) merge.changedAt = now
    merge.seen = current
    const isOwed = merge.askedAt <= merge.changedAt + 1 && now - merge.askedAt > ASK_AGAIN_MS
    if (!isChanged && !isOwed) continue
    merge.askedAt = now
    await ask(id)
  }
}

/** What is so of each merge, as a text to compare, and whether a rollout tries it. */
async function readSeen(
  watched: ReadonlyMap<string, Watched>,
  { verdicts, log }: { verdicts: ReadVerdicts; log: Log },
  signal: AbortSignal,
): Promise<Map<string, { text: string; isTried: boolean }>> {
  const seen = new Map<string, { text: string; isTried: boolean }>()
  for (const source of new Set([...watched.values()].flatMap(({ sources }) => sources))) {
    const mine = [...watched].filter(([, { sources }]) => sources.includes(source))
    const shas = [...new Set(mine.map(([, { sha }]) => sha))]
    const found = await verdicts(source, shas, { signal }).catch((error: unknown) => {
      signal.throwIfAborted()
      // A name out of Redis that the settings do not have must not keep the merges of others from being followed.
      log.debug({ source, err: errorText(error) }, "whether merges of this source are live is not known")
      return new Map<string, ReadonlyMap<string, CommitVerdict>>()
    })
    for (const [id, { sha }] of mine) {
      const each = [...(found.get(sha) ?? [])]
      const lines = each.map(([cluster, verdict]) => [source, cluster, summary(verdict)])
      const before = seen.get(id) ?? { text: "", isTried: false }
      const isTried = before.isTried || each.some(([, { tried }]) => tried)
      seen.set(id, { text: before.text + JSON.stringify(lines), isTried })
    }
  }
  return seen
}

function summary({ live, recorded, nodes, failed, rejected }: CommitVerdict): unknown {
  return [live, recorded, nodes?.live, nodes?.total, nodes?.silent.length, failed, rejected]
}

function isQuiet(watched: ReadonlyMap<string, Watched>): boolean {
  const newest = Math.max(...[...watched.values()].map(({ changedAt }) => changedAt))
  return watched.size > 0 && Date.now() - newest > QUIET_AFTER_MS
}

/** False when the signal aborted. */
async function pause(milliseconds: number, signal: AbortSignal): Promise<boolean> {
  await delay(milliseconds, undefined, { signal }).catch(() => undefined)
  return !signal.aborted
}
