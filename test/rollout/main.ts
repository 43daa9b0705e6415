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
  /** Writes the summary. */
  keep(): Promise<void>
  signal: AbortSignal
}

const MINUTE_MS = 60_000
/** Of a part's time, for commits with checks; what is left is for the same ones without. */
const CHECKED_SHARE = 0.65

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
  const within = (share: number) => () =>
    signal.aborted || performance.now() - start > Number(options.minutes) * MINUTE_MS * share
  say(`API servers: ${realKubeMissing() ?? "real ones"}`)
  const played = await readPlayed(summary)
  const before = played.seconds
  const keep = async () => {
    played.seconds = before + Math.round((performance.now() - start) / 1000)
    await writePlayed(summary, played)
  }
  played.parts += 1
  const wanted = Math.max(1, Math.floor(Number(options.commits) / GROUP))
  const first = options.from === undefined ? nextGroup(played) : Math.floor(Number(options.from) / GROUP)
  await orEnd(played, signal, () =>
    playChecked(played, { first, wanted, keep, signal }, within(CHECKED_SHARE)),
  )
  await orEnd(played, signal, () => playControl(played, { keep, signal }, within(1)))
  await keep()
  say(tableOf(played))
  const violations = violationsOf(played)
  const commits = Math.max(0, wanted - nextGroup(played)) * GROUP
  const controls = Math.max(0, played.groups.length * BAD_ONES - played.controls.length)
  if (commits + controls > 0) {
    const left = `${commits} commits, and ${controls} bad ones without checks, are left`
    if (summary === undefined) violations.push(`${left} when the time was over`)
    else say(`${left}: run it again with the same --summary`)
  }
  for (const violation of violations) say(`VIOLATION: ${violation}`)
  return violations.length === 0 ? 0 : 1
})

/** What a part cannot go on after is a violation, and what was played before it counts. */
async function orEnd(played: Played, signal: AbortSignal, play: () => Promise<void>): Promise<void> {
  try {
    await play()
  } catch (error) {
    if (signal.aborted) return
    say(`this part ends here: ${errorMessage(error)}`)
    played.ends.push(errorMessage(error))
  }
}

async function playChecked(
  played: Played,
  { first, wanted, keep, signal }: Part & { first: number; wanted: number },
  isOver: () => boolean,
): Promise<void> {
  if (first >= wanted) return
  await withStagedSite({ checks: true, signal }, async (site) => {
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
  { groups, controls }: Played,
  { keep, signal }: Part,
  isOver: () => boolean,
): Promise<void> {
  const wanted = groups.length * BAD_ONES
  if (controls.length >= wanted || isOver()) return
  const bad = (Object.keys(STATES) as State[]).filter((state) => STATES[state] !== undefined)
  await withStagedSite({ checks: false, signal }, async (site) => {
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
