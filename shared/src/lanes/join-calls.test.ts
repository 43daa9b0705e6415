import { setTimeout as delay } from "node:timers/promises"
import { describe, expect, it } from "vitest"
import { joinCalls } from "./join-calls.ts"

describe("joinCalls", () => {
  it("answers every caller with a call that began after it asked, in few calls", async () => {
    const join = joinCalls()
    let begun = 0
    const call = async () => {
      begun++
      await delay(5)
    }

    const waits = Array.from({ length: 100 }, async () => {
      const before = begun
      await join("a", call)
      return before
    })
    const before = await Promise.all(waits)

    expect(begun).toBe(2)
    expect(before.every((count) => count <= 1)).toBe(true)
  })

  it("keeps keys apart, and starts afresh when all is quiet", async () => {
    const join = joinCalls()
    const calls: string[] = []
    const note = (key: string) => join(key, async () => void calls.push(key))

    await Promise.all([note("a"), note("b")])
    await note("a")

    expect(calls).toEqual(["a", "b", "a"])
  })

  it("tells of a failure to those who shared the call alone", async () => {
    const join = joinCalls()
    const results = ["first fails", undefined]
    const call = async () => {
      await delay(1)
      const message = results.shift()
      if (message) throw new Error(message)
    }

    const settled = await Promise.allSettled([join("a", call), join("a", call), join("a", call)])

    expect(settled.map((one) => one.status)).toEqual(["rejected", "fulfilled", "fulfilled"])
  })
})
