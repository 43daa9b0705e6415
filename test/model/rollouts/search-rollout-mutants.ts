import fc from "fast-check"
import { playRollout } from "./play-rollout.ts"
import { ROLLOUT_MUTANTS, type RolloutMutant } from "./rollout-mutants.ts"
import { type RolloutSchedule, rolloutSchedules } from "./rollout-schedule.ts"

/** As many schedules are tried for each. */
const MOST = 3000

/** A schedule that shows a mutant, what it shows, and after how many it was found. */
export interface CaughtMutant {
  schedule: RolloutSchedule
  error: unknown
  after: number
  /** Of fast-check, to begin with this schedule. */
  path: string
}

/** Searches every mutant of the rollouts from a seed; prints after how many schedules. Gives the exit code. */
export async function searchRolloutMutants(seed: number, signal: AbortSignal): Promise<number> {
  let missed = 0
  for (const [name, { path: _, ...mutant }] of Object.entries(ROLLOUT_MUTANTS)) {
    const caught = await catchMutant(mutant, { seed, runs: MOST }, signal)
    if (caught === undefined) missed += 1
    else await playRollout(caught.schedule)
    const what = caught ? `caught after ${caught.after} schedules` : `not caught in ${MOST} schedules`
    process.stdout.write(`${name}: ${what} (seed ${seed})\n`)
  }
  const of = Object.keys(ROLLOUT_MUTANTS).length
  process.stdout.write(`${of - missed} of ${of} mutants of rollouts caught (seed ${seed})\n`)
  return missed === 0 ? 0 : 1
}

/** The first schedule of a seed that shows a mutant, from its path on; undefined: none does. */
export async function catchMutant(
  { broken, breaks, path, schedule }: RolloutMutant,
  { seed, runs }: { seed: number; runs: number },
  signal?: AbortSignal,
): Promise<CaughtMutant | undefined> {
  const given = schedule && fc.constant(schedule)
  const details = await fc.check(
    fc.asyncProperty(given ?? rolloutSchedules(), async (played) => {
      signal?.throwIfAborted()
      try {
        await playRollout(played, broken)
      } catch (error) {
        // What it breaks beside may be anything; it is caught when the rule's own promise is broken.
        if (breaks.test(String(error))) throw error
      }
    }),
    { numRuns: given ? 1 : runs, seed, endOnFailure: true, ...(path && { path }) },
  )
  signal?.throwIfAborted()
  if (details.counterexample === null) return undefined
  const [caught] = details.counterexample
  const { errorInstance: error, numRuns: after, counterexamplePath } = details
  return { schedule: caught, error, after, path: counterexamplePath ?? "" }
}
