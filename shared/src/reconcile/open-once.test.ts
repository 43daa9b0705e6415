import { expect, it } from "vitest"
import { openOnce } from "./open-once.ts"

it("opens nothing once all are closed: the page of a plugin that has given way still answers", async () => {
  const opened: string[] = []
  const closed: string[] = []
  const mirrors = openOnce(async (name: string) => {
    opened.push(name)
    return name
  })
  const early = mirrors.get("early")
  await mirrors.closeAll(async (name) => void closed.push(name))
  await expect(mirrors.get("late")).rejects.toMatchObject({ code: "program/stopped" })
  await expect(mirrors.get("early")).rejects.toMatchObject({ code: "program/stopped" })
  expect(await early).toBe("early")
  expect([opened, closed]).toEqual([["early"], ["early"]])
})
