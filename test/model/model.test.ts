import fc from "fast-check"
import { expect, it } from "vitest"
import { runSchedule } from "./run-schedule.ts"
import { worldSchedules } from "./world-schedule.ts"

/** The long form: HEADRACE_MODEL_RUNS=10000 (test/model/long.ts). */
const RUNS = Number(process.env.HEADRACE_MODEL_RUNS ?? 60)
/** Fixed, so that a red build is the fault of its change; the long form draws a new one each time. */
const SEED = Number(process.env.HEADRACE_MODEL_SEED ?? 20_260_102)

/** Where rewritten branches are followed by themselves, fewer schedules do: it is one more way to a new epoch. */
const FOLLOWING_SHARE = 0.2

it("keeps every promise where a rewritten branch is followed too", async () => {
  let played = 0
  const numRuns = Math.ceil(RUNS * FOLLOWING_SHARE)
  await fc.assert(
    fc.asyncProperty(worldSchedules(), async (schedule) => {
      played += 1
      await runSchedule(schedule, { allowForcePush: true })
    }),
    { numRuns, seed: SEED },
  )
  expect(played).toBe(numRuns)
}, 3_600_000)

it("keeps every promise under any schedule of merges, faults, pauses, deaths and operators", async () => {
  let played = 0
  await fc.assert(
    fc.asyncProperty(worldSchedules(), async (schedule) => {
      played += 1
      await runSchedule(schedule)
    }),
    { numRuns: RUNS, seed: SEED },
  )
  expect(played).toBe(RUNS)
}, 3_600_000)
