import { describe, expect, it } from "vitest"
import { shareNext } from "./share-next.ts"

function gate() {
  const runs: { signal: AbortSignal; end(value: number): void; fail(error: Error): void }[] = []
  const call = shareNext(
    (signal) =>
      new Promise<number>((resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason))
        runs.push({ signal, end: resolve, fail: reject })
      }),
  )
  return { runs, call }
}
const settle = () => new Promise((resolve) => setTimeout(resolve, 5))

describe("shareNext", () => {
  it("gives callers that arrive during a run one shared run after it", async () => {
    const { runs, call } = gate()
    const first = call()
    await settle()
    const second = call()
    const third = call()
    await settle()
    expect(runs).toHaveLength(1)

    runs[0]?.end(1)
    await settle()
    expect(runs).toHaveLength(2)
    runs[1]?.end(2)

    expect(await Promise.all([first, second, third])).toEqual([1, 2, 2])
  })

  it("runs again after a failure, and reports it only to that run's callers", async () => {
    const { runs, call } = gate()
    const first = call()
    await settle()
    const second = call()
    runs[0]?.fail(new Error("down"))
    await expect(first).rejects.toThrow("down")
    await settle()
    runs[1]?.end(2)
    expect(await second).toBe(2)
  })

  it("frees the caller that aborts and no other", async () => {
    const { runs, call } = gate()
    const impatient = new AbortController()
    const first = call(impatient.signal)
    const second = call()
    await settle()
    impatient.abort(new Error("enough"))
    await expect(first).rejects.toThrow("enough")
    expect(runs[0]?.signal.aborted).toBe(false)
    runs[0]?.end(1)
    expect(await second).toBe(1)
  })

  it("aborts a run that nobody waits for, and does not fail the next caller", async () => {
    const { runs, call } = gate()
    const busy = call()
    await settle()
    const impatient = new AbortController()
    const given = call(impatient.signal)
    impatient.abort(new Error("enough"))
    await expect(given).rejects.toThrow("enough")
    const patient = call()
    runs[0]?.end(1)
    await settle()
    runs.at(-1)?.end(2)
    expect(await Promise.all([busy, patient])).toEqual([1, 2])
  })
})
