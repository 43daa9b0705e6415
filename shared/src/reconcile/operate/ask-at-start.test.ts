import { expect, it } from "vitest"
import { askAtStart } from "./ask-at-start.ts"

it("asks each place again while it does not answer, and until reports of before a restore are renewed", async () => {
  const whenNeeded = askAtStart()
  const asked: string[] = []
  let isAway = true
  async function ask(place: string): Promise<boolean> {
    asked.push(place)
    return !isAway
  }
  for (let read = 0; read < 3; read++) await whenNeeded("east", () => ask("east"))
  expect(asked).toHaveLength(3)
  isAway = false
  for (let read = 0; read < 9; read++) await whenNeeded("east", () => ask("east"))
  expect(asked).toHaveLength(8)
  await whenNeeded("west", () => ask("west"))
  expect(asked.at(-1)).toBe("west")
})
