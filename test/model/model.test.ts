import fc from "fast-check"
import { expect, it } from "vitest"
import { runSchedule } from "./run-schedule.ts"
import { schedules } from "./schedule.ts"

/** The long form: HEADRACE_MODEL_RUNS=10000 (test/model/long.ts). */
const RUNS = Number(process.env.HEADRACE_MODEL_RUNS ?? 500)
const SEED = process.env.HEADRACE_MODEL_SEED

it("keeps every promise under any schedule of merges, faults, pauses, deaths and operators", async () => {
  let played = 0
  await fc.assert(
    fc.asyncProperty(schedules(), async (schedule) => {
      played += 1
      await runSchedule(schedule)
    }),
    { numRuns: RUNS, ...(SEED === undefined ? {} : { seed: Number(SEED) }) },
  )
  expect(played).toBe(RUNS)
}, 3_600_000)
