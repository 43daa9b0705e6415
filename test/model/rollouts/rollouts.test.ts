import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Violation } from "../violation.ts"
import { playRollout } from "./play-rollout.ts"
import { ROLLOUT_MUTANTS } from "./rollout-mutants.ts"
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

it("has a node show what failed there once an operator promotes it", async () => {
  const look = { kind: "look", process: 0, full: true, stopAfter: undefined } as const
  await playRollout({
    sizes: [1, 1, 1],
    newer: "finish",
    dies: false,
    ops: [
      { kind: "commit", effect: "fails elsewhere" },
      { ...look, cluster: 1 },
      { kind: "wait", seconds: 1 },
      { ...look, cluster: 0 },
      { ...look, cluster: 0 },
      { kind: "nodes", cluster: 0 },
      { kind: "promote", cluster: 1 },
    ],
  })
})

describe("the model of rollouts catches", () => {
  it.each(Object.entries(ROLLOUT_MUTANTS))(
    "%s",
    {
      timeout: 600_000,
    },
    async (_name, { broken, breaks, path }) => {
      const details = await fc.check(
        fc.asyncProperty(rolloutSchedules(), async (schedule) => {
          try {
            await playRollout(schedule, broken)
          } catch (error) {
            // What it breaks beside may be anything; it is caught when the rule's own promise is broken.
            if (breaks.test(String(error))) throw error
          }
        }),
        { numRuns: MUTANT_RUNS, seed: SEED, endOnFailure: true, ...(path === undefined ? {} : { path }) },
      )
      expect(details.failed).toBe(true)
      expect(details.errorInstance).toBeInstanceOf(Violation)
      process.stdout.write(
        `caught after ${details.numRuns}: ${String(details.errorInstance).slice(0, 120)}\n`,
      )
      const [schedule] = details.counterexample as [RolloutSchedule]
      await playRollout(schedule)
    },
  )
})
