#!/usr/bin/env node
import { runProgram } from "@headrace/shared/foundation/run-program"
import { Command } from "commander"
import { quantile } from "../bench/quantile.ts"
import { realKubeMissing } from "../harness/real-kube.ts"
import { NODES, STATES, type State } from "./fleet-plan.ts"
import { GROUP, type PlayedGroup, playGood, playGroup, reachesEverybody, startPlay } from "./play-group.ts"
import { withStagedSite } from "./staged-site.ts"
import { playStaleHealth, type StaleHealth } from "./stale-health.ts"

/** From when a writer can hear of a failure until every node is back. */
const BACK_WITHIN_MS = 5000
const MINUTE_MS = 60_000

/** Rollouts of real processes, with faults in every stage: `npm run test:rollouts`; the long form has `-- --commits 300`. */
await runProgram(async (signal) => {
  const { commits, first, control, minutes } = new Command("rollouts")
    .option(
      "--commits <count>",
      "how many commits, every fifth a bad one",
      process.env.HEADRACE_ROLLOUT_COMMITS ?? "15",
    )
    .option("--first <group>", "the group of five to begin with, to play a long form in parts", "0")
    .option("--control <count>", "how many bad commits without checks; absent: as many as with them")
    .option("--minutes <count>", "how long it may take in all", "30")
    .parse()
    .opts<{ commits: string; first: string; control?: string; minutes: string }>()
  const groups = Math.max(1, Math.floor(Number(commits) / GROUP))
  const end = performance.now() + Number(minutes) * MINUTE_MS
  const isOver = () => signal.aborted || performance.now() > end
  say(`API servers: ${realKubeMissing() ?? "real ones"}`)
  const { played, stale } = await playChecked(Number(first), groups, isOver)
  const controlled = await playControl(control === undefined ? played.length : Number(control), isOver)
  const violations = [
    ...played.flatMap((group) => group.violations),
    ...stale.violations,
    ...controlled.violations,
  ]
  if (played.length < groups)
    violations.push(`only ${played.length * GROUP} of ${groups * GROUP} commits were played in time`)
  if (!stale.wasOpen) violations.push("the stage of silent nodes was never open: the control shows nothing")
  const p99 = quantile(took(played, false), 0.99)
  if (!(p99 <= BACK_WITHIN_MS)) violations.push(`p99 of returns without a fault is ${Math.round(p99)} ms`)
  say(tableOf(played, stale, controlled))
  for (const violation of violations) say(`VIOLATION: ${violation}`)
  return violations.length === 0 ? 0 : 1
})

async function playChecked(
  first: number,
  groups: number,
  isOver: () => boolean,
): Promise<{ played: PlayedGroup[]; stale: StaleHealth }> {
  return withStagedSite({ checks: true }, async (site) => {
    const play = await startPlay(site)
    await playGood(play)
    say("every node shows the first commit")
    const played: PlayedGroup[] = []
    for (let group = first; group < first + groups && !isOver(); group += 1) {
      const one = await playGroup(play, group)
      played.push(one)
      const { good, bad } = one
      const faults = `${good.fault ? `${good.fault} in stage ${(good.stage ?? 0) + 1} of the good one` : (bad.fault ?? "no fault")}`
      say(`group ${group}: ${bad.state}, ${bad.reached} nodes, back in ${Math.round(bad.took)} ms; ${faults}`)
    }
    return { played, stale: await playStaleHealth(play) }
  })
}

interface Controlled {
  tried: number
  reached: number
  violations: string[]
}

/** The same bad commits, where no agent asks its consumer: each reaches every node. */
async function playControl(count: number, isOver: () => boolean): Promise<Controlled> {
  if (count === 0) return { tried: 0, reached: 0, violations: [] }
  return withStagedSite({ checks: false }, async (site) => {
    const play = await startPlay(site)
    await playGood(play)
    const bad = (Object.keys(STATES) as State[]).filter((state) => STATES[state] !== undefined)
    let tried = 0
    let reached = 0
    while (tried < count && !isOver()) {
      const commit = await site.commit(`${bad[Math.floor(tried / 2) % bad.length]}\n${tried}\n`)
      await reachesEverybody(play, commit)
      tried += 1
      if ((await play.shown.everOn(commit)).length === NODES.length) reached += 1
    }
    const violations =
      reached < tried ? [`${tried - reached} commits without checks did not reach every node`] : []
    if (tried < count) violations.push(`only ${tried} of ${count} commits without checks were played in time`)
    return { tried, reached, violations }
  })
}

function took(played: readonly PlayedGroup[], faulted: boolean): number[] {
  return played.flatMap(({ bad }) => ((bad.fault !== undefined) === faulted ? [bad.took] : []))
}

function tableOf(played: readonly PlayedGroup[], stale: StaleHealth, controlled: Controlled): string {
  const rows: [string, string][] = [
    ["commits", String(played.length * GROUP)],
    ["of them bad, each tried by itself", String(played.length)],
    [
      "shown outside of their stages",
      String(played.flatMap(({ violations }) => violations).filter((one) => one.startsWith("node")).length),
    ],
    ["returns without a fault: count, p50, p99, ms", figuresOf(took(played, false))],
    ["returns with a fault, from its end: count, p50, p99, ms", figuresOf(took(played, true))],
    ["faults in good rollouts", String(played.filter(({ good }) => good.fault !== undefined).length)],
    ["stage of silent nodes with old health", stale.wasOpen ? "open, and did not pass" : "never open"],
    ["without checks: bad commits, on every node", `${controlled.tried}, ${controlled.reached}`],
  ]
  return ["", ...rows.map(([what, figure]) => `  ${what.padEnd(58)} ${figure}`), ""].join("\n")
}

function figuresOf(values: readonly number[]): string {
  if (values.length === 0) return "0"
  return [values.length, Math.round(quantile(values, 0.5)), Math.round(quantile(values, 0.99))].join(", ")
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
