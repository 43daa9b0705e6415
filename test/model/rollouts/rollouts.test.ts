import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Violation } from "../violation.ts"
import { CAUGHT } from "./caught-rollouts.ts"
import { playRollout } from "./play-rollout.ts"
import { ROLLOUT_MUTANTS, type RolloutMutant } from "./rollout-mutants.ts"
import { type RolloutSchedule, rolloutSchedules } from "./rollout-schedule.ts"

/** Fixed, so that each run finds what the last one found. */
const SEED = 7
const RUNS = Number(process.env.HEADRACE_ROLLOUT_RUNS ?? 25)
const MUTANT_RUNS = Number(process.env.HEADRACE_MUTANT_RUNS ?? 300)

it("keeps what a rollout promises over schedules of commits, faults and operators' words", {
  timeout: 600_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(rolloutSchedules(), async (schedule) => playRollout(schedule)),
    { numRuns: RUNS, seed: SEED },
  )
})

it.each(Object.entries(CAUGHT))("holds that %s", async (_rule, schedule) => {
  await playRollout(schedule)
})

describe("the model of rollouts catches", () => {
  it.each(Object.entries(ROLLOUT_MUTANTS))("%s", { timeout: 600_000 }, async (_name, mutant) => {
    const { breaks } = mutant
    const { schedule, found } = await searched(mutant)
    expect(found).toBeInstanceOf(Violation)
    expect(String(found)).toMatch(breaks)
    process.stdout.write(`caught: ${String(found).slice(0, 120)}\n`)
    await playRollout(schedule)
  })
})

/** The first schedule that shows a mutant. Throws where none does. */
async function searched({
  broken,
  breaks,
  path,
  schedule,
}: RolloutMutant): Promise<{ schedule: RolloutSchedule; found: unknown }> {
  const given = schedule && fc.constant(schedule)
  const details = await fc.check(
    fc.asyncProperty(given ?? rolloutSchedules(), async (played) => {
      try {
        await playRollout(played, broken)
      } catch (error) {
        // What it breaks beside may be anything; it is caught when the rule's own promise is broken.
        if (breaks.test(String(error))) throw error
      }
    }),
    { numRuns: given ? 1 : MUTANT_RUNS, seed: SEED, endOnFailure: true, ...(path && { path }) },
  )
  if (!details.failed) throw new Error(`not caught by ${details.numRuns} schedules`)
  const [caught] = details.counterexample as [RolloutSchedule]
  if (path === undefined && details.numRuns > 1)
    process.stdout.write(`path of the next: "${details.counterexamplePath}"\n`)
  return { schedule: caught, found: details.errorInstance }
}
