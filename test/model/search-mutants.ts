import fc from "fast-check"
import { runSchedule } from "./run-schedule.ts"
import type { Schedule } from "./schedule.ts"
import { WORLD_MUTANTS, type WorldMutant } from "./world-mutants.ts"
import { worldSchedules } from "./world-schedule.ts"

/** As many schedules are tried for each. */
const MOST = 3000

/** Searches every mutant of the world outside from a seed; prints after how many schedules. Gives the exit code. */
export async function searchMutants(seed: number, signal: AbortSignal): Promise<number> {
  let missed = 0
  for (const [name, mutant] of Object.entries(WORLD_MUTANTS)) {
    const caught = await search(mutant, seed, signal)
    const what = caught ? `caught after ${caught.after} schedules` : `not caught in ${MOST} schedules`
    process.stdout.write(`${name}: ${what} (seed ${seed})\n`)
    if (caught === undefined) missed += 1
  }
  return missed === 0 ? 0 : 1
}

/** The first schedule that shows the broken rule, and at which sound code holds. */
async function search(
  { subject, breaks, towards }: WorldMutant,
  seed: number,
  signal: AbortSignal,
): Promise<{ after: number } | undefined> {
  const details = await fc.check(
    fc.asyncProperty(worldSchedules(towards), async (schedule) => {
      signal.throwIfAborted()
      const error = await violationOf(schedule, subject)
      if (breaks.test(error) && (await violationOf(schedule)) === "") throw new Error(error)
    }),
    { numRuns: MOST, seed, endOnFailure: true },
  )
  return details.failed ? { after: details.numRuns } : undefined
}

/** What a schedule shows, as text; nothing when it holds. */
export async function violationOf(schedule: Schedule, subject?: WorldMutant["subject"]): Promise<string> {
  try {
    await runSchedule(schedule, subject ? { subject } : {})
    return ""
  } catch (error) {
    return String(error)
  }
}
