import { readFile, writeFile } from "node:fs/promises"
import { quantile } from "../bench/quantile.ts"
import { NODES } from "./fleet-plan.ts"
import { GROUP, type PlayedGroup, type Returned } from "./play-group.ts"
import type { StaleHealth } from "./stale-health.ts"

/** From when a writer can hear of a failure until every node is back. */
const BACK_WITHIN_MS = 5000

/** What was played so far, in parts: a long run may end anywhere, and goes on with the next part. */
export interface Played {
  parts: number
  /** Of all parts together. */
  seconds: number
  groups: PlayedGroup[]
  /** One of each part. */
  stale: StaleHealth[]
  /** For each bad commit without checks: how many nodes showed it. */
  controls: number[]
  /** Why good commits were returned. */
  returned: string[]
  /** What a part ended with that could not go on. */
  ends: string[]
}

const NOTHING: Played = { parts: 0, seconds: 0, groups: [], stale: [], controls: [], returned: [], ends: [] }

/** What earlier parts have written to a file; nothing where there is none. */
export async function readPlayed(file: string | undefined): Promise<Played> {
  if (file === undefined) return structuredClone(NOTHING)
  return JSON.parse(await readFile(file, "utf8").catch(() => JSON.stringify(NOTHING))) as Played
}

export async function writePlayed(file: string | undefined, played: Played): Promise<void> {
  if (file !== undefined) await writeFile(file, JSON.stringify(played))
}

/** The group that comes next. */
export function nextGroup({ groups }: Played): number {
  return (groups.at(-1)?.group ?? -1) + 1
}

/** What is not as promised, a sentence each. */
export function violationsOf({ groups, stale, controls, returned, ends }: Played): string[] {
  const short = controls.filter((reached) => reached < NODES.length).length
  const p99 = quantile(returnsOf(groups, false), 0.99)
  return [
    ...groups.flatMap(({ group, violations }) => violations.map((one) => `group ${group}: ${one}`)),
    ...returned.map((why) => `a good commit was returned: ${why}`),
    ...stale.flatMap(({ violations }) => violations),
    ...(stale.some(({ wasOpen }) => wasOpen) || stale.length === 0
      ? []
      : ["the stage of silent nodes was never open: the control shows nothing"]),
    ...(short > 0 ? [`${short} commits without checks did not reach every node`] : []),
    ...(p99 > BACK_WITHIN_MS ? [`p99 of returns without a fault is ${Math.round(p99)} ms`] : []),
    ...ends,
  ]
}

/** The figures of all parts, as lines. */
export function tableOf({ parts, seconds, groups, stale, controls, returned }: Played): string {
  const bad = badOf(groups)
  const outside = bad.reduce((sum, one) => sum + one.outside, 0)
  const open = stale.filter(({ wasOpen }) => wasOpen).length
  const whole = controls.filter((reached) => reached === NODES.length).length
  const rows: [string, string][] = [
    ["parts, minutes in all", `${parts}, ${Math.round(seconds / 6) / 10}`],
    ["commits, of them bad", `${groups.length * GROUP}, ${bad.length}`],
    ["nodes that showed a bad one outside of its stages", String(outside)],
    ["good ones returned", String(returned.length)],
    [
      "returns without a fault: count, p50, p99, ms",
      `${figuresOf(returnsOf(groups, false))}   goal: p99 at most ${BACK_WITHIN_MS}`,
    ],
    ["returns with a fault, from its end: count, p50, p99, ms", figuresOf(returnsOf(groups, true))],
    ...faultRows(groups),
    ["faults in good rollouts", String(groups.filter(({ good }) => good.fault !== undefined).length)],
    ["silent nodes with old health: open stages, of them passed", `${open}, ${passedOf(stale)}`],
    ["without checks: bad commits, of them on every node", `${controls.length}, ${whole}`],
  ]
  return ["", ...rows.map(([what, figure]) => `  ${what.padEnd(58)} ${figure}`), ""].join("\n")
}

/** Of each fault: returns, and how long nodes took after it. */
function faultRows(groups: readonly PlayedGroup[]): [string, string][] {
  const faulted = badOf(groups).flatMap(({ fault, took }) => (fault === undefined ? [] : [{ fault, took }]))
  return [...Map.groupBy(faulted, ({ fault }) => fault)].map(([fault, met]) => [
    `  ${fault}`,
    figuresOf(met.map(({ took }) => took)),
  ])
}

function passedOf(stale: readonly StaleHealth[]): number {
  return stale.filter(({ violations }) => violations.length > 0).length
}

function badOf(groups: readonly PlayedGroup[]): Returned[] {
  return groups.flatMap(({ bad }) => bad)
}

function returnsOf(groups: readonly PlayedGroup[], faulted: boolean): number[] {
  return badOf(groups).flatMap(({ fault, took }) => ((fault !== undefined) === faulted ? [took] : []))
}

function figuresOf(values: readonly number[]): string {
  if (values.length === 0) return "0"
  return [values.length, Math.round(quantile(values, 0.5)), Math.round(quantile(values, 0.99))].join(", ")
}
