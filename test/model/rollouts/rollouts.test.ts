import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Violation } from "../violation.ts"
import { CAUGHT } from "./caught-rollouts.ts"
import { playRollout } from "./play-rollout.ts"
import { ROLLOUT_MUTANTS } from "./rollout-mutants.ts"
import { rolloutSchedules } from "./rollout-schedule.ts"
import { catchMutant } from "./search-rollout-mutants.ts"

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
    const caught = await catchMutant(mutant, { seed: SEED, runs: MUTANT_RUNS })
    if (caught === undefined) throw new Error(`not caught by ${MUTANT_RUNS} schedules`)
    const { schedule, error, after, path } = caught
    expect(error).toBeInstanceOf(Violation)
    expect(String(error)).toMatch(mutant.breaks)
    process.stdout.write(`caught: ${String(error).slice(0, 120)}\n`)
    if (after > 1) process.stdout.write(`path of this one: "${path}"\n`)
    await playRollout(schedule)
  })
})
