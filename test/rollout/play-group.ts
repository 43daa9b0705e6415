import { setTimeout as delay } from "node:timers/promises"
import { FAULTS } from "./faults.ts"
import { mayReach, NODES, type State } from "./fleet-plan.ts"
import { areAt, heardAt, recordsNow, stageOf } from "./seen-records.ts"
import { type ShownCommits, watchShown } from "./shown-commits.ts"
import type { StagedSite } from "./staged-site.ts"

/** Good commits are merged together, and the last is rolled out; then two bad ones are tried, one after the other. */
export const GROUP = 10
export const BAD_ONES = 2
const GOOD = GROUP - BAD_ONES

/** A rollout of a few seconds, with a fault in it, on a machine that has other work. */
const ROLLOUT_LIMIT_MS = 300_000
/** Twenty agents start on a busy machine. */
const START_LIMIT_MS = 600_000
const HEAR_EVERY_MS = 100
const BAD: readonly State[] = ["bad in the first stage", "bad in the second stage", "bad in the last stage"]
const FAULT_NAMES = Object.keys(FAULTS)

/** What was seen of a bad commit. */
export interface Returned {
  state: State
  /** Undefined: none. */
  fault: string | undefined
  /** Milliseconds from when a writer could hear of the failure, or from the end of the fault if that was later. */
  took: number
  /** How many nodes it was shown on, and how many of them it may not reach. */
  reached: number
  outside: number
}

/** What came of a group of commits. */
export interface PlayedGroup {
  /** Its number. */
  group: number
  good: { fault: string | undefined; stage: number | undefined }
  bad: Returned[]
  violations: string[]
}

/** One run's commits, and what is known of them. */
export interface Play {
  site: StagedSite
  shown: ShownCommits
  /** Makes the content of each commit another one. */
  number: number
  good: Set<string>
  /** Why good commits were returned. */
  returned: string[]
}

/** Begins once every node shows something. */
export async function startPlay(site: StagedSite): Promise<Play> {
  const shown = watchShown(site)
  const isEverywhere = async () => {
    const failed = [...(await recordsNow(site)).values()].flatMap((record) => record.failed)
    for (const { target, reason } of failed) throw new Error(`target ${target}: ${reason}`)
    return NODES.every((node) => shown.now(node) !== undefined)
  }
  await shown.until("every node shows something", isEverywhere, START_LIMIT_MS)
  return { site, shown, number: 0, good: new Set(), returned: [] }
}

/**
 * Plays a group: a fault in its good rollout, and the same one in one of its bad ones. Over fifteen groups each fault meets
 * each stage in both.
 */
export async function playGroup(play: Play, group: number): Promise<PlayedGroup> {
  const fault = FAULT_NAMES[group % FAULT_NAMES.length]
  const stage = group % BAD.length
  const good = { fault, stage }
  const baseline = await playGood(play, good)
  const faulted = { baseline, state: badIn(stage), fault }
  const quiet = { baseline, state: badIn(stage + 1), fault: undefined }
  const bad: Returned[] = []
  const violations: string[] = []
  for (const one of group % 2 === 0 ? [quiet, faulted] : [faulted, quiet]) {
    const played = await playBad(play, one)
    bad.push(played.bad)
    violations.push(...played.violations)
  }
  return { group, good, bad, violations }
}

function badIn(stage: number): State {
  return BAD[stage % BAD.length] ?? "bad in the first stage"
}

/** Merges the good ones, and waits until every node and record shows the last. Gives it. */
export async function playGood(
  play: Play,
  { fault, stage }: PlayedGroup["good"] = { fault: undefined, stage: undefined },
): Promise<string> {
  const { site, good } = play
  for (let merged = 1; merged < GOOD; merged += 1)
    good.add(await site.repo.commit({ "state/now": next(play, "good") }))
  const commit = await site.commit(next(play, "good"))
  good.add(commit)
  const ended = faultIn(play, { commit, stage, fault })
  await withFault(ended, () => reachesEverybody(play, commit))
  return commit
}

/** Waits for both, and for what undoes a fault also where the wait fails: nothing of it outlives the site. */
async function withFault<T>(ended: Promise<unknown>, wait: () => Promise<T>): Promise<T> {
  const [waited, fault] = await Promise.allSettled([wait(), ended])
  if (waited.status === "rejected") throw waited.reason
  if (fault.status === "rejected") throw fault.reason
  return waited.value
}

/** Waits until every node and every record shows a commit. Throws at once where it is rejected. */
export async function reachesEverybody(
  { site, shown, returned }: Pick<Play, "site" | "shown" | "returned">,
  commit: string,
): Promise<void> {
  await shown.until(
    `every node shows ${commit}`,
    async () => {
      const records = await recordsNow(site)
      const rejected = [...records.values()].find((record) => record.rejected?.commit === commit)?.rejected
      if (rejected) returned.push(rejected.reason)
      if (rejected) throw new Error(`a good commit was returned: ${rejected.reason}`)
      return areAt(records, commit) && NODES.every((node) => shown.now(node) === commit)
    },
    ROLLOUT_LIMIT_MS,
  )
}

async function playBad(
  play: Play,
  { baseline, state, fault }: { baseline: string; state: State; fault: string | undefined },
): Promise<{ bad: Returned; violations: string[] }> {
  const { site, shown, good } = play
  const commit = await site.commit(next(play, state))
  const stage = BAD.indexOf(state)
  const faultEnd = faultIn(play, { commit, stage, fault })
  const heard = hearsOf(site, commit)
  // Where the wait below fails, that is the reason.
  heard.catch(() => undefined)
  const isBack = async () => {
    if (NODES.some((node) => shown.now(node) !== baseline)) return false
    const records = [...(await recordsNow(site)).values()]
    const isRejected = records.some(({ rejected }) => rejected?.commit === commit)
    return isRejected && records.every((record) => record.commit === baseline && record.candidate === null)
  }
  const back = await withFault(faultEnd, () =>
    shown.until(`every node is back from ${commit}`, isBack, ROLLOUT_LIMIT_MS),
  )
  const from = Math.max(await heard, await faultEnd)
  const reached = await shown.everOn(commit)
  const outside = reached.filter((node) => !mayReach(state).includes(node))
  const violations = outside.map(({ name }) => `node ${name} showed a commit that is ${state}`)
  if (!reached.some((node) => node.stage === stage))
    violations.push(`no node of its stage showed a commit that is ${state}`)
  for (const { rejected } of (await recordsNow(site)).values()) {
    if (rejected && good.has(rejected.commit)) play.returned.push(rejected.reason)
  }
  const took = Math.max(0, back - from)
  return { bad: { state, fault, took, reached: reached.length, outside: outside.length }, violations }
}

/** Begins a fault once the commit is in this stage; gives the time of its end, 0 without one. */
async function faultIn(
  { site, shown }: Play,
  { commit, stage, fault }: { commit: string; stage: number | undefined; fault: string | undefined },
): Promise<number> {
  if (fault === undefined || stage === undefined) return 0
  await shown.until(
    `${commit} is in stage ${stage + 1}`,
    async () => ((await furthest(site, commit)) ?? -1) >= stage,
    ROLLOUT_LIMIT_MS,
  )
  await FAULTS[fault]?.(site)
  return performance.now()
}

/** The stage in which a commit is, was before it was promoted, or was when it was rejected. */
async function furthest(site: StagedSite, commit: string): Promise<number | undefined> {
  const records = await recordsNow(site)
  const isOver = [...records.values()].some(
    (record) => record.commit === commit || record.rejected?.commit === commit,
  )
  return isOver ? BAD.length : stageOf(records, commit)
}

/** When a writer could first hear that the commit fails, as performance.now() has it. */
async function hearsOf(site: StagedSite, commit: string): Promise<number> {
  const end = performance.now() + ROLLOUT_LIMIT_MS
  for (;;) {
    const at = await heardAt(site, commit)
    if (at !== undefined) return Math.min(performance.now(), at - performance.timeOrigin)
    if (performance.now() > end) throw new Error(`no node says that it failed with ${commit}`)
    await delay(HEAR_EVERY_MS)
  }
}

function next(play: Play, state: State): string {
  play.number += 1
  return `${state}\n${play.number}\n`
}
