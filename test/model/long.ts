#!/usr/bin/env node
import { runProgram } from "@headrace/shared/foundation/run-program"
import { type LongFormOptions, longForm, playSchedules, seedOf } from "./long-form.ts"
import { playRollouts } from "./rollouts/long.ts"
import { runSchedule } from "./run-schedule.ts"
import { searchMutants } from "./search-mutants.ts"
import { startTally } from "./tally.ts"
import { worldSchedules } from "./world-schedule.ts"

interface Options extends LongFormOptions {
  followRewrites: boolean
  mutants: boolean
}

/** The model's long form: `node --conditions=source test/model/long.ts --runs 10000 [--seed N] [--path P]`. */
await runProgram(async (signal) => {
  if (process.argv.includes("--rollouts")) return playRollouts(process.argv, signal)
  const options = longForm("model")
    .option("--follow-rewrites", "sources with allowForcePush", false)
    .option("--mutants", "search each mutant from a new seed instead", false)
    .parse()
    .opts<Options>()
  const seed = seedOf(options)
  return options.mutants ? searchMutants(seed, signal) : playAll(options, seed, signal)
})

async function playAll(options: Options, seed: number, signal: AbortSignal): Promise<number> {
  const { runs, from, path, followRewrites } = options
  process.stdout.write(`seed ${seed}, ${Number(runs) - Number(from)} schedules from ${from}\n`)
  if (path === undefined) withoutStacks()
  const tally = startTally()
  const start = performance.now()
  const { played, failure } = await playSchedules(
    worldSchedules(),
    (schedule) => runSchedule(schedule, { allowForcePush: followRewrites, tally }),
    { ...options, seed },
    signal,
  )
  const took = Math.round((performance.now() - start) / 1000)
  process.stdout.write(tally.table())
  if (failure !== undefined) {
    process.stdout.write(failure)
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
