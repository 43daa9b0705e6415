import { setTimeout as delay } from "node:timers/promises"
import { until } from "@headrace/test/harness/until"
import { expect, it } from "vitest"
import { startProgress } from "./progress.ts"

function outputOf(isTTY: boolean) {
  const written: string[] = []
  return { written, output: { isTTY, columns: 40, write: (text: string) => written.push(text) } }
}

it("rewrites one line on a terminal, no wider than that, and takes it away", async () => {
  const { written, output } = outputOf(true)
  const progress = startProgress("applying", output, 0)
  progress.report("writing 120 of 400")
  await until(() => written.some((text) => text.includes("writing")))
  progress.report(`\u001b[31m${"x".repeat(100)}`)
  await until(() => written.some((text) => text.includes("\\u001b[31m")))
  progress.end()
  expect(written.at(-1)).toBe("\r\u001b[2K")
  for (const text of written) {
    expect(text.startsWith("\r\u001b[2K")).toBe(true)
    expect(text.length).toBeLessThanOrEqual(39 + 5)
  }
})

it("prints plain lines elsewhere, few of them", async () => {
  const { written, output } = outputOf(false)
  const progress = startProgress("applying", output, 0)
  await until(() => written.length > 0)
  await delay(600)
  progress.end()
  expect(written).toEqual([expect.stringMatching(/^applying: starting, \d+ s\n$/)])
})

it("says nothing of what is done soon", async () => {
  const { written, output } = outputOf(true)
  const progress = startProgress("applying", output)
  await delay(300)
  progress.end()
  expect(written).toEqual([])
})
