import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { MUTANTS, WRONG_COUNT } from "./mutants.ts"
import { runSchedule } from "./run-schedule.ts"
import { type Schedule, schedules } from "./schedule.ts"
import { Violation } from "./violation.ts"

/** Fixed, so that each run of the tests finds what the last one found; one that catches all of them early. */
const SEED = 5
const RUNS = Number(process.env.HEADRACE_MUTANT_RUNS ?? 3000)

describe("the model catches", () => {
  it.each(Object.entries(MUTANTS))(
    "%s",
    { timeout: 600_000 },
    async (_name, { subject, breaks, seed = SEED, path }) => {
      const details = await fc.check(
        fc.asyncProperty(schedules(), async (schedule) => {
          try {
            await runSchedule(schedule, { subject })
          } catch (error) {
            // What it breaks beside may be anything; it is caught when the rule's own promise is broken.
            if (breaks.test(String(error))) throw error
          }
        }),
        { numRuns: RUNS, seed, endOnFailure: true, ...(path === undefined ? {} : { path }) },
      )
      expect(details.failed).toBe(true)
      expect(details.errorInstance).toBeInstanceOf(Violation)
      process.stdout.write(
        `caught after ${details.numRuns} schedules: ${String(details.errorInstance).slice(0, 150)}\n`,
      )
      // The same schedule, with the rule whole again.
      const [schedule] = details.counterexample as [Schedule]
      await runSchedule(schedule)
    },
  )
})

it("keeps what is shown from going back though commits are counted wrongly", {
  timeout: 600_000,
}, async () => {
  const goesBack = /^Error: 2: /
  const details = await fc.check(
    fc.asyncProperty(schedules(), async (schedule) => {
      await runSchedule(schedule, { subject: WRONG_COUNT }).catch((error: unknown) => {
        if (goesBack.test(String(error))) throw error
      })
    }),
    { numRuns: 60, seed: SEED, endOnFailure: true },
  )
  expect(details.failed).toBe(false)
})
