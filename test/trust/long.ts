#!/usr/bin/env node
import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { runProgram } from "@headrace/shared/foundation/run-program"
import { Command } from "commander"
import { withMemoryFolder } from "../harness/with-folder.ts"
import { MINUTE } from "./forger.ts"
import { makeKeys, unexpectedCodes } from "./forgery-codes.ts"
import { type ForgeryReport, runForgeries } from "./run-forgeries.ts"

interface Options {
  forgeries: string
  seed: string
  seconds?: string
  summary?: string
}

/** What was done so far, in parts: a long run may end anywhere, and goes on with the next part. */
interface Done extends ForgeryReport {
  parts: number
  made: number
}

/** A part is a node's life of its own, from a seed of its own. */
const PART = 2500
const WEEK = 7 * 1440 * MINUTE

/** The long form of forgeries: `npm run test:trust -- [--forgeries N] [--seconds N --summary FILE]`. */
await runProgram(async () => {
  const options = new Command("forgeries")
    .option("--forgeries <count>", "how many in all", "100000")
    .option("--seed <number>", "of the first part; each next one has the next", "16")
    .option("--seconds <count>", "begin no part after so long; run it again with the same --summary to go on")
    .option("--summary <file>", "JSON of what was done so far; it is read and written")
    .parse()
    .opts<Options>()
  const wanted = Number(options.forgeries)
  const end = performance.now() + Number(options.seconds ?? Infinity) * 1000
  let done = await readDone(options.summary)
  while (done.made < wanted && performance.now() < end) {
    const count = Math.min(PART, wanted - done.made)
    const report = await attackNode(count, Number(options.seed) + done.parts)
    done = added(done, report, count)
    if (options.summary !== undefined) await writeFile(options.summary, JSON.stringify(done))
    process.stderr.write(`${done.made} of ${wanted}\n`)
  }
  const wrong = unexpectedCodes(done)
  process.stdout.write(`${summaryOf(done, wrong)}\n`)
  if (done.made < wanted) process.stdout.write(`${wanted - done.made} are left: run it again\n`)
  return done.shown === 0 && wrong.length === 0 ? 0 : 1
})

function attackNode(count: number, seed: number): Promise<ForgeryReport> {
  return withMemoryFolder(async (folder) => {
    const { keys, files } = await makeKeys(join(folder, "keys"))
    return runForgeries({
      folder,
      count,
      seed,
      keys,
      trust: { keys: files, clusters: ["east"], maxAge: WEEK },
    })
  })
}

async function readDone(file: string | undefined): Promise<Done> {
  const nothing: Done = { parts: 0, made: 0, shown: 0, refused: {} }
  if (file === undefined) return nothing
  return JSON.parse(await readFile(file, "utf8").catch(() => JSON.stringify(nothing))) as Done
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

/** One line: `100000 forgeries of 16 kinds in 40 parts: 0 shown, each refused by its code (…)`. */
function summaryOf({ parts, made, shown, refused }: Done, wrong: readonly string[]): string {
  const byCode = new Map<string, number>()
  for (const codes of Object.values(refused)) {
    for (const [code, times] of Object.entries(codes)) byCode.set(code, (byCode.get(code) ?? 0) + times)
  }
  const codes = [...byCode].sort().map(([code, times]) => `${code} ${times}`)
  const kinds = Object.keys(refused).length
  const judged = wrong.length === 0 ? "each refused by its code" : `refused otherwise: ${wrong.join(", ")}`
  return `${made} forgeries of ${kinds} kinds in ${parts} parts: ${shown} shown, ${judged} (${codes.join(", ")})`
}
