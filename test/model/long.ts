#!/usr/bin/env node
import { runProgram } from "@headrace/shared/foundation/run-program"
import { Command } from "commander"
import fc from "fast-check"
import { runSchedule } from "./run-schedule.ts"
import { schedules } from "./schedule.ts"
import { startTally } from "./tally.ts"

const PROGRESS_EVERY = 500

/** The model's long form: `node --conditions=source test/model/long.ts --runs 10000 [--seed N] [--path P]`. */
await runProgram(async (signal) => {
  const options = new Command("model")
    .option("--runs <count>", "how many schedules", "10000")
    .option("--seed <number>", "seed of the schedules; a failure prints it")
    .option("--follow-rewrites", "sources with allowForcePush", false)
    .option("--path <path>", "path of one failure, to play it again")
    .parse()
    .opts<{ runs: string; seed?: string; path?: string; followRewrites: boolean }>()
  const seed = options.seed === undefined ? Date.now() % 2 ** 31 : Number(options.seed)
  process.stdout.write(`seed ${seed}, ${options.runs} schedules\n`)
  const tally = startTally()
  let played = 0
  const start = performance.now()
  const details = await fc.check(
    fc.asyncProperty(schedules(), async (schedule) => {
      signal.throwIfAborted()
      await runSchedule(schedule, { allowForcePush: options.followRewrites, tally })
      played += 1
      if (played % PROGRESS_EVERY === 0) process.stdout.write(`${played} hold\n`)
    }),
    { numRuns: Number(options.runs), seed, ...(options.path === undefined ? {} : { path: options.path }) },
  )
  const seconds = Math.round((performance.now() - start) / 1000)
  process.stdout.write(tally.table())
  if (!details.failed) {
    process.stdout.write(`all ${played} schedules hold (seed ${seed}, ${seconds} s)\n`)
    return 0
  }
  process.stdout.write(`${fc.defaultReportMessage(details)}\n${String(details.errorInstance)}\n`)
  return 1
})
