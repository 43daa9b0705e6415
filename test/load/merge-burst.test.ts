import { expect, it } from "vitest"
import { mergeBurst } from "./merge-burst.ts"

it("loses nothing of a burst of merges, and reconciles few times", { timeout: 180_000 }, async () => {
  const merges = 300
  const result = await mergeBurst(merges)
  process.stdout.write(`${JSON.stringify(result)}\n`)

  expect(Object.keys(result.answers)).toEqual(["202"])
  expect(result.unanswered).toBe(0)
  expect(Object.values(result.shown)).toEqual(Array(4).fill(merges + 2))
  expect(result.most).toBe(1)
  expect(result.catchUpReconciles).toBeLessThanOrEqual(2)
  // A reconcile takes 100 ms: one for each merge would be 300 in each lane.
  expect(Math.max(...Object.values(result.reconciles))).toBeLessThan(merges / 3)
  // An entry for each delivery; the rest does not grow with their number.
  expect(result.redisKeys).toBeLessThan(merges + 300)
})
