import { expect, it } from "vitest"
import { mergeBurst } from "./merge-burst.ts"

const MERGES = 100

it("loses nothing of a burst of merges, and reconciles few times", { timeout: 600_000 }, async () => {
  const result = await mergeBurst(MERGES)
  process.stdout.write(`${JSON.stringify(result)}\n`)

  expect(result.answers).toEqual({ "202": MERGES })
  expect(result.unanswered).toBe(0)
  expect(result.wrong).toEqual([])
  expect(result.foreignKeys).toEqual([])
  expect(result.bootstrapperExit).toBe(0)
  expect(result.catchUpReconciles).toBe(1)
  for (const runs of Object.values(result.reconciles)) expect(runs.atOnce).toBeLessThanOrEqual(1)
  // An entry for each delivery; the rest does not grow with their number.
  expect(result.redisKeys).toBeLessThan(MERGES + 200)
})
