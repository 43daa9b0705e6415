import { expect, it } from "vitest"
import { startAsking } from "./answer.ts"

const never = new AbortController().signal

function silence(): Promise<never> {
  return new Promise(() => undefined)
}

/** Keeps this process from doing anything else. */
function block(milliseconds: number): void {
  const end = performance.now() + milliseconds
  while (performance.now() < end);
}

it("does not count time in which this process could not run", async () => {
  const ask = startAsking(300, never)
  const slow = ask(
    "Redis",
    () => new Promise<string>((resolve) => setTimeout(() => setTimeout(resolve, 0, "here"), 1)),
  )
  block(600)
  expect(await slow).toEqual({ known: true, value: "here" })
})

it("begins the time of each with its first question, and ends all its questions together", async () => {
  const ask = startAsking(200, never)
  block(400)
  expect(await ask("git", async () => "here")).toEqual({ known: true, value: "here" })
  const start = performance.now()
  const both = await Promise.all([ask("cluster east", silence), ask("cluster east", silence)])
  expect(both.map(({ known }) => known)).toEqual([false, false])
  // Two questions at the same time do not use it up twice as fast.
  expect(performance.now() - start).toBeGreaterThan(150)
})
