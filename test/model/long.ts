#!/usr/bin/env node
import { runProgram } from "@headrace/shared/foundation/run-program"
import { Command } from "commander"
import fc from "fast-check"
import { playRollouts } from "./rollouts/long.ts"
import { runSchedule } from "./run-schedule.ts"
import { searchMutants } from "./search-mutants.ts"
import { startTally } from "./tally.ts"
import { worldSchedules } from "./world-schedule.ts"

const PROGRESS_EVERY = 500

interface Options {
  runs: string
  seed?: string
  path?: string
  from: string
  seconds?: string
  followRewrites: boolean
  mutants: boolean
}

/** The model's long form: `node --conditions=source test/model/long.ts --runs 10000 [--seed N] [--path P]`. */
await runProgram(async (signal) => {
  if (process.argv.includes("--rollouts")) return playRollouts(process.argv, signal)
  const options = new Command("model")
    .option("--runs <count>", "how many schedules", "10000")
    .option("--seed <number>", "seed of the schedules; a failure prints it")
    .option("--from <count>", "begin with this one of the seed's schedules, to continue", "0")
    .option("--seconds <count>", "stop after so long, and print where to continue")
    .option("--follow-rewrites", "sources with allowForcePush", false)
    .option("--mutants", "search each mutant from a new seed instead", false)
    .option("--path <path>", "path of one failure, to play it again")
    .parse()
    .opts<Options>()
  const seed = options.seed === undefined ? Date.now() % 2 ** 31 : Number(options.seed)
  return options.mutants ? searchMutants(seed, signal) : playAll(options, seed, signal)
})

async function playAll(
  { runs, from, seconds, path, followRewrites }: Options,
  seed: number,
  signal: AbortSignal,
): Promise<number> {
  const numRuns = Number(runs) - Number(from)
  process.stdout.write(`seed ${seed}, ${numRuns} schedules from ${from}\n`)
  if (path === undefined) withoutStacks()
  const tally = startTally()
  let played = Number(from)
  const start = performance.now()
  const details = await fc.check(
    fc.asyncProperty(worldSchedules(), async (schedule) => {
      signal.throwIfAborted()
      await runSchedule(schedule, { allowForcePush: followRewrites, tally })
      played += 1
      if (played % PROGRESS_EVERY === 0) process.stdout.write(`${played} hold\n`)
    }),
    {
      numRuns,
      seed,
      path: path ?? from,
      ...(seconds === undefined ? {} : { interruptAfterTimeLimit: Number(seconds) * 1000 }),
    },
  )
  const took = Math.round((performance.now() - start) / 1000)
  process.stdout.write(tally.table())
  // What SIGTERM ended has not failed.
  if (details.failed && details.errorInstance !== null && !signal.aborted) {
    process.stdout.write(`${fc.defaultReportMessage(details)}\n${String(details.errorInstance)}\n`)
    return 1
  }
  if (played < Number(runs)) {
    process.stdout.write(`${played} hold (seed ${seed}, ${took} s): continue with --from ${played}\n`)
    return 0
  }
  process.stdout.write(`all ${played} schedules hold (seed ${seed}, ${took} s)\n`)
  return 0
}

/** Errors are part of every schedule, and their stacks a part of what it costs; `--path` plays one again with them. */
function withoutStacks(): void {
  Error.stackTraceLimit = 0
}
