import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { MUTANTS } from "./mutants.ts"
import { runSchedule } from "./run-schedule.ts"
import { schedules } from "./schedule.ts"
import { Violation } from "./watch-invariants.ts"

/** Fixed, so that each run of the tests finds what the last one found. */
const SEED = 20_260_101
const RUNS = Number(process.env.HEADRACE_MUTANT_RUNS ?? 3000)

describe("the model catches", () => {
  it.each(Object.entries(MUTANTS))("%s", { timeout: 600_000 }, async (_name, mutant) => {
    const details = await fc.check(
      fc.asyncProperty(schedules(), (schedule) => runSchedule(schedule, { subject: mutant })),
      { numRuns: RUNS, seed: SEED, endOnFailure: true },
    )
    expect(details.failed).toBe(true)
    expect(details.errorInstance).toBeInstanceOf(Violation)
    process.stdout.write(
      `caught after ${details.numRuns} schedules: ${String(details.errorInstance).slice(0, 150)}\n`,
    )
  })
})
