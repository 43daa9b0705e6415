import { Command } from "commander"
import fc from "fast-check"
import { playRollout } from "./play-rollout.ts"
import { rolloutSchedules } from "./rollout-schedule.ts"

const PROGRESS_EVERY = 500

/** The long form of the model's rollouts: `npm run test:model -- --rollouts [--runs 10000] [--seed N] [--path P]`. */
export async function playRollouts(argv: readonly string[], signal: AbortSignal): Promise<number> {
  const {
    runs,
    seed: given,
    path,
  } = new Command("rollouts")
    .option("--rollouts", "this one")
    .option("--runs <count>", "how many schedules", "10000")
    .option("--seed <number>", "seed of the schedules; a failure prints it")
    .option("--path <path>", "path of one failure, to play it again")
    .parse([...argv])
    .opts<{ runs: string; seed?: string; path?: string }>()
  const seed = given === undefined ? Date.now() % 2 ** 31 : Number(given)
  process.stdout.write(`seed ${seed}, ${runs} schedules of rollouts\n`)
  let played = 0
  const details = await fc.check(
    fc.asyncProperty(rolloutSchedules(), async (schedule) => {
      signal.throwIfAborted()
      await playRollout(schedule)
      played += 1
      if (played % PROGRESS_EVERY === 0) process.stdout.write(`${played} hold\n`)
    }),
    { numRuns: Number(runs), seed, ...(path === undefined ? {} : { path }) },
  )
  if (!details.failed) return 0
  process.stdout.write(`${fc.defaultReportMessage(details)}\n${details.errorInstance}\n`)
  return 1
}
