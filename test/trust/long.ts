#!/usr/bin/env node
import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { runProgram } from "@headrace/shared/foundation/run-program"
import { Command } from "commander"
import { withMemoryFolder } from "../harness/with-folder.ts"
import { MINUTE, seeded } from "./forger.ts"
import { makeKeys, unexpectedCodes, unexpectedOfFresh } from "./forgery-codes.ts"
import { attackFreshNodes, FRESH_MAX_AGE } from "./fresh-nodes.ts"
import { type ForgeryReport, type ForgeryRun, runForgeries } from "./run-forgeries.ts"

interface Options {
  forgeries: string
  fresh: string
  control: string
  seed: string
  seconds?: string
  summary?: string
}

/** What was done so far of one attack, in parts: a long run may end anywhere, and goes on with the next part. */
interface Done extends ForgeryReport {
  parts: number
  made: number
}

/** One attack of three. */
interface Attack {
  /** What its line begins with. */
  name: string
  wanted: number
  /** How many forgeries have a seed, keys and nodes of their own. */
  part: number
  run(given: Omit<ForgeryRun, "trust">, believed: string[]): Promise<ForgeryReport>
  /** What is wrong with it; empty: nothing. */
  judge(done: Done): string[]
}

const WEEK = 7 * 1440 * MINUTE
/** Without `trust` so many of a hundred forgeries are shown at least: otherwise the attack is none. */
const CONTROL_PERCENT = 10

/** The long form of forgeries: `npm run test:trust -- [--forgeries N] [--seconds N --summary FILE]`. */
await runProgram(async () => {
  const options = new Command("forgeries")
    .option("--forgeries <count>", "how many against nodes with a disk", "100000")
    .option("--fresh <count>", "how many against nodes that have shown nothing yet", "5000")
    .option("--control <count>", "how many against nodes without trust", "1000")
    .option("--seed <number>", "of the first part; each next one has the next", "16")
    .option("--seconds <count>", "begin no part after so long; run it again with the same --summary to go on")
    .option("--summary <file>", "JSON of what was done so far; it is read and written")
    .parse()
    .opts<Options>()
  const end = performance.now() + Number(options.seconds ?? Infinity) * 1000
  const done = await readDone(options.summary)
  let isRight = true
  for (const attack of attacks(options)) {
    let sofar = done[attack.name] ?? { parts: 0, made: 0, shown: 0, refused: {} }
    while (sofar.made < attack.wanted && performance.now() < end) {
      const count = Math.min(attack.part, attack.wanted - sofar.made)
      sofar = added(sofar, await runPart(attack, count, Number(options.seed) + sofar.parts), count)
      done[attack.name] = sofar
      if (options.summary !== undefined) await writeFile(options.summary, JSON.stringify(done))
      process.stderr.write(`${attack.name}: ${sofar.made} of ${attack.wanted}\n`)
    }
    const wrong = attack.judge(sofar)
    if (wrong.length > 0) isRight = false
    process.stdout.write(`${lineOf(attack, sofar, wrong)}\n`)
  }
  return isRight ? 0 : 1
})

function attacks({ forgeries, fresh, control }: Options): Attack[] {
  const ofDisk = { clusters: ["east"], maxAge: WEEK }
  const ofFresh = { clusters: ["east"], maxAge: FRESH_MAX_AGE }
  return [
    {
      name: "with trust and a floor",
      wanted: Number(forgeries),
      part: 2500,
      run: (given, keys) => runForgeries({ ...given, trust: { keys, ...ofDisk } }),
      judge: (done) => [...seenBy(done), ...unexpectedCodes(done)],
    },
    {
      name: "with trust, on fresh nodes",
      wanted: Number(fresh),
      part: 500,
      run: ({ seed, ...given }, keys) =>
        attackFreshNodes({ ...given, trust: { keys, ...ofFresh } }, seeded(seed)),
      judge: (done) => [...seenBy(done), ...unexpectedOfFresh(done)],
    },
    {
      name: "without trust, the control",
      wanted: Number(control),
      part: 200,
      run: (given) => runForgeries({ ...given, trust: undefined }),
      judge: ({ shown, made }) =>
        shown * 100 < made * CONTROL_PERCENT ? [`less than ${CONTROL_PERCENT} % were shown`] : [],
    },
  ]
}

function seenBy({ shown }: Done): string[] {
  return shown === 0 ? [] : [`${shown} were shown`]
}

function runPart({ run }: Attack, count: number, seed: number): Promise<ForgeryReport> {
  return withMemoryFolder(async (folder) => {
    const { keys, files } = await makeKeys(join(folder, "keys"))
    return run({ folder, count, seed, keys }, files)
  })
}

async function readDone(file: string | undefined): Promise<Record<string, Done>> {
  if (file === undefined) return {}
  return JSON.parse(await readFile(file, "utf8").catch(() => "{}")) as Record<string, Done>
}

function added(done: Done, { shown, refused }: ForgeryReport, count: number): Done {
  const all = structuredClone(done.refused)
  for (const [kind, codes] of Object.entries(refused)) {
    for (const [code, times] of Object.entries(codes)) {
      const known = all[kind] ?? {}
      known[code] = (known[code] ?? 0) + times
      all[kind] = known
    }
  }
  return { parts: done.parts + 1, made: done.made + count, shown: done.shown + shown, refused: all }
}

/** One line: `with trust and a floor: 100000 forgeries of 20 kinds in 40 parts, 0 shown; as it must be (…)`. */
function lineOf({ name, wanted }: Attack, { parts, made, shown, refused }: Done, wrong: string[]): string {
  const byCode = new Map<string, number>()
  for (const codes of Object.values(refused)) {
    for (const [code, times] of Object.entries(codes)) byCode.set(code, (byCode.get(code) ?? 0) + times)
  }
  const codes = [...byCode].sort().map(([code, times]) => `${code} ${times}`)
  const kinds = Object.keys(refused).length
  const judged = wrong.length === 0 ? "as it must be" : `WRONG: ${wrong.join(", ")}`
  const left = made < wanted ? `; ${wanted - made} are left, run it again` : ""
  return `${name}: ${made} forgeries of ${kinds} kinds in ${parts} parts, ${shown} shown; ${judged} (${codes.join(", ")})${left}`
}
