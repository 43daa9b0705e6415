import { type LongFormOptions, longForm, playSchedules, seedOf } from "../long-form.ts"
import { playRollout } from "./play-rollout.ts"
import { rolloutSchedules } from "./rollout-schedule.ts"
import { searchRolloutMutants } from "./search-rollout-mutants.ts"

interface Options extends LongFormOptions {
  mutants: boolean
}

/**
 * The long form of the model's rollouts: `npm run test:model -- --rollouts [--runs 10000] [--seed N] [--from K]
 * [--seconds S] [--path P]`, or `--mutants`.
 */
export async function playRollouts(argv: readonly string[], signal: AbortSignal): Promise<number> {
  const command = longForm("rollouts")
    .option("--rollouts", "this one")
    .option("--mutants", "search each mutant from a new seed instead", false)
  const options = command.parse([...argv]).opts<Options>()
  const seed = seedOf(options)
  if (options.mutants) return searchRolloutMutants(seed, signal)
  const { runs, from, path } = options
  process.stdout.write(`seed ${seed}, ${Number(runs) - Number(from)} schedules of rollouts from ${from}\n`)
  const { played, failure } = await playSchedules(
    rolloutSchedules(),
    playRollout,
    { ...options, seed },
    signal,
  )
  if (failure !== undefined) {
    process.stdout.write(failure)
    return 1
  }
  if (path !== undefined) return 0
  const isWhole = played === Number(runs)
  const next = isWhole ? "" : `: continue with --from ${played}`
  process.stdout.write(`${isWhole ? "all " : ""}${played} schedules of rollouts hold (seed ${seed})${next}\n`)
  return 0
}
