import { expect, it } from "vitest"
import { CAUGHT } from "./caught-schedules.ts"
import { HELD } from "./held-schedules.ts"
import { violationOf } from "./search-mutants.ts"
import { WORLD_MUTANTS } from "./world-mutants.ts"

// `npm run test:model -- --mutants` searches them from a new seed; here is what such a search has found, made short.
it.each(Object.entries(WORLD_MUTANTS))(
  "the model catches that %s, and holds where it does not",
  { timeout: 600_000 },
  async (name, { subject, breaks }) => {
    const schedule = CAUGHT[name] ?? []
    expect(await violationOf(schedule, subject)).toMatch(breaks)
    expect(await violationOf(schedule)).toBe("")
  },
)

it("has a schedule for each mutant", () => {
  expect(Object.keys(CAUGHT).sort()).toEqual(Object.keys(WORLD_MUTANTS).sort())
})

it.each(Object.entries(HELD))("holds where %s", { timeout: 600_000 }, async (_what, schedule) => {
  expect(await violationOf(schedule)).toBe("")
})
