import { Command } from "commander"
import fc from "fast-check"
import { playRollout } from "./play-rollout.ts"
import { rolloutSchedules } from "./rollout-schedule.ts"

const PROGRESS_EVERY = 500

interface Options {
  runs: string
  seed?: string
  path?: string
  from: string
  seconds?: string
}

/**
 * The long form of the model's rollouts: `npm run test:model -- --rollouts [--runs 10000] [--seed N] [--from K]
 * [--seconds S] [--path P]`.
 */
export async function playRollouts(argv: readonly string[], signal: AbortSignal): Promise<number> {
  const options = new Command("rollouts")
    .option("--rollouts", "this one")
    .option("--runs <count>", "how many schedules", "10000")
    .option("--seed <number>", "seed of the schedules; a failure prints it")
    .option("--from <count>", "begin with this one of the seed's schedules, to continue", "0")
    .option("--seconds <count>", "stop after so long, and print where to continue")
    .option("--path <path>", "path of one failure, to play it again")
    .parse([...argv])
    .opts<Options>()
  const seed = options.seed === undefined ? Date.now() % 2 ** 31 : Number(options.seed)
  return playAll(options, seed, signal)
}

async function playAll(
  { runs, from, seconds, path }: Options,
  seed: number,
  signal: AbortSignal,
): Promise<number> {
  process.stdout.write(`seed ${seed}, ${Number(runs) - Number(from)} schedules of rollouts from ${from}\n`)
  let played = Number(from)
  const details = await fc.check(
    fc.asyncProperty(rolloutSchedules(), async (schedule) => {
      signal.throwIfAborted()
      await playRollout(schedule)
      played += 1
      if (played % PROGRESS_EVERY === 0) process.stdout.write(`${played} hold\n`)
    }),
    {
      numRuns: Number(runs) - Number(from),
      seed,
      path: path ?? from,
      ...(seconds === undefined ? {} : { interruptAfterTimeLimit: Number(seconds) * 1000 }),
    },
  )
  // What SIGTERM ended has not failed.
  if (details.failed && details.errorInstance !== null && !signal.aborted) {
    process.stdout.write(`${fc.defaultReportMessage(details)}\n${String(details.errorInstance)}\n`)
    return 1
  }
  if (path !== undefined) return 0
  const isWhole = played === Number(runs)
  const next = isWhole ? "" : `: continue with --from ${played}`
  process.stdout.write(`${isWhole ? "all " : ""}${played} schedules of rollouts hold (seed ${seed})${next}\n`)
  return 0
}
