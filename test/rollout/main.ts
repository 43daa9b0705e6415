#!/usr/bin/env node
import { errorMessage } from "@headrace/shared/foundation/errors"
import { runProgram } from "@headrace/shared/foundation/run-program"
import { Command } from "commander"
import { realKubeMissing } from "../harness/real-kube.ts"
import { NODES, STATES, type State } from "./fleet-plan.ts"
import {
  BAD_ONES,
  GROUP,
  type PlayedGroup,
  playGood,
  playGroup,
  reachesEverybody,
  startPlay,
} from "./play-group.ts"
import { nextGroup, type Played, readPlayed, tableOf, violationsOf, writePlayed } from "./played-parts.ts"
import { withStagedSite } from "./staged-site.ts"
import { playStaleHealth } from "./stale-health.ts"

interface Options {
  commits: string
  from?: string
  minutes: string
  summary?: string
}

interface Part {
  /** How many groups there are in all. */
  wanted: number
  /** Writes the summary. */
  keep(): Promise<void>
  signal: AbortSignal
}

const MINUTE_MS = 60_000
const CONTROL_NICENESS = 5
/** A fault of the machine ends a site once or twice; more are one of the product. */
const MOST_ENDS = 3

/** Rollouts of real processes, with faults in every stage: `npm run test:rollouts -- [--commits N] [--summary FILE]`. */
await runProgram(async (signal) => {
  const options = new Command("rollouts")
    .option("--commits <count>", "how many in all, two of ten are bad ones", "10")
    .option("--from <count>", "begin with this one; absent: where the summary ends")
    .option("--minutes <count>", "begin nothing after so long", "30")
    .option("--summary <file>", "JSON of what was played so far; it is read and written")
    .parse()
    .opts<Options>()
  const { summary } = options
  const start = performance.now()
  const isOver = () => signal.aborted || performance.now() - start > Number(options.minutes) * MINUTE_MS
  say(`API servers: ${realKubeMissing() ?? "real ones"}`)
  const played = await readPlayed(summary)
  const before = played.seconds
  let kept = Promise.resolve()
  const keep = () => {
    played.seconds = before + Math.round((performance.now() - start) / 1000)
    kept = kept.then(() => writePlayed(summary, played))
    return kept
  }
  played.parts += 1
  const wanted = Math.max(1, Math.floor(Number(options.commits) / GROUP))
  const first = options.from === undefined ? nextGroup(played) : Math.floor(Number(options.from) / GROUP)
  const part = { wanted, keep, signal }
  // The control is not measured: it takes what processor time the other site leaves.
  await Promise.all([
    playFrom(first, played, part, isOver),
    orEnd(played, signal, () => playControl(played, part, isOver)),
  ])
  await keep()
  say(tableOf(played))
  const violations = violationsOf(played)
  const commits = Math.max(0, wanted - nextGroup(played)) * GROUP
  const controls = Math.max(0, wanted * BAD_ONES - played.controls.length)
  if (commits + controls > 0) {
    const left = `${commits} commits, and ${controls} bad ones without checks, are left`
    if (summary === undefined) violations.push(`${left} when the time was over`)
    else say(`${left}: run it again with the same --summary`)
  }
  for (const violation of violations) say(`VIOLATION: ${violation}`)
  return violations.length === 0 ? 0 : 1
})

/** Plays the groups from one on. What fails ends its site and is a violation; what comes after it is played all the same. */
async function playFrom(first: number, played: Played, part: Part, isOver: () => boolean): Promise<void> {
  const isWhole = (from: number) =>
    orEnd(played, part.signal, () => playChecked(played, { ...part, first: from }, isOver))
  for (let from = first; !(await isWhole(from)) && played.ends.length < MOST_ENDS; )
    from = Math.max(from, nextGroup(played)) + 1
}

/** What a site cannot go on after is a violation, and what was played before it counts. False after one. */
async function orEnd(played: Played, signal: AbortSignal, play: () => Promise<void>): Promise<boolean> {
  try {
    await play()
    return true
  } catch (error) {
    if (signal.aborted) return true
    say(`this site ends here: ${errorMessage(error)}`)
    played.ends.push(errorMessage(error))
    return false
  }
}

async function playChecked(
  played: Played,
  { first, wanted, keep, signal }: Part & { first: number },
  isOver: () => boolean,
): Promise<void> {
  if (first >= wanted || isOver()) return
  await withStagedSite({ checks: true, niceness: 0, signal }, async (site) => {
    const play = await startPlay(site)
    play.returned = played.returned
    await playGood(play)
    say("every node shows the first commit")
    for (let group = first; group < wanted && !isOver(); group += 1) {
      const since = performance.now()
      const one = await playGroup(play, group)
      played.groups.push(one)
      const seconds = Math.round((performance.now() - since) / 1000)
      say(`group ${group} (${seconds} s): ${textOf(one)}`)
      await keep()
    }
    played.stale.push(await playStaleHealth(play))
  })
}

/** The same bad commits, where no agent asks its consumer: each reaches every node. */
async function playControl(
  { controls }: Played,
  { wanted: groups, keep, signal }: Part,
  isOver: () => boolean,
): Promise<void> {
  const wanted = groups * BAD_ONES
  if (controls.length >= wanted || isOver()) return
  const bad = (Object.keys(STATES) as State[]).filter((state) => STATES[state] !== undefined)
  await withStagedSite({ checks: false, niceness: CONTROL_NICENESS, signal }, async (site) => {
    const play = await startPlay(site)
    await playGood(play)
    while (controls.length < wanted && !isOver()) {
      const tried = controls.length
      const commit = await site.commit(`${bad[tried % bad.length]}\n${tried}\n`)
      await reachesEverybody(play, commit)
      const reached = (await play.shown.everOn(commit)).length
      controls.push(reached)
      say(`without checks ${tried}: ${reached} of ${NODES.length} nodes`)
      await keep()
    }
  })
}

function textOf({ good, bad }: PlayedGroup): string {
  const returns = bad.map(({ state, fault, reached, took }) => {
    return `${state}, ${reached} nodes, back in ${Math.round(took)} ms${fault === undefined ? "" : ` after "${fault}"`}`
  })
  return [`"${good.fault}" in stage ${(good.stage ?? 0) + 1} of the good one`, ...returns].join("; ")
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
