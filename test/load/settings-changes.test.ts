import { expect, it } from "vitest"
import { changeSettings } from "./settings-changes.ts"

const CHANGES = 20
const PAUSE_MS = 150

it("survives changes of its settings under load, and loses no delivery", { timeout: 600_000 }, async () => {
  const result = await changeSettings(CHANGES, { pause: PAUSE_MS })
  process.stdout.write(`${JSON.stringify(result)}\n`)

  expect(result.ended).toEqual([])
  expect(Math.min(...result.starts)).toBeGreaterThanOrEqual(CHANGES + 1)
  expect(result.scrapes).toBeGreaterThan(CHANGES)
  expect(Object.keys(result.answers)).toEqual(["202"])
  expect(result.unanswered).toBe(0)
})
