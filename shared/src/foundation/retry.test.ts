import { describe, expect, it } from "vitest"
import { isFinal, markFinal, type RetryPolicy, retry } from "./retry.ts"

/** A policy whose clock moves only by the waits, which it notes. */
function policyOf(more: Partial<RetryPolicy> = {}): RetryPolicy & { waits: number[] } {
  const waits: number[] = []
  let now = 0
  const clock = {
    now: () => now,
    async sleep(milliseconds: number) {
      waits.push(milliseconds)
      now += milliseconds
    },
  }
  return { attempts: 4, backoff: { first: 100, limit: 1000 }, clock, waits, ...more }
}

/** Fails as often as configured, with a new error each time, then gives its number of calls. */
function failing(times: number): { call: () => Promise<number>; calls: () => number } {
  let calls = 0
  return {
    calls: () => calls,
    async call() {
      calls += 1
      if (calls <= times) throw new Error(`failure ${calls}`)
      return calls
    },
  }
}

const again = () => 0

describe("retry", () => {
  it("calls until it succeeds, with waits that grow", async () => {
    const policy = policyOf()
    expect(await retry(policy, again, undefined, failing(3).call)).toBe(4)
    expect(policy.waits.map((wait, index) => wait >= 50 * 2 ** index && wait <= 100 * 2 ** index)).toEqual([
      true,
      true,
      true,
    ])
  })

  it("gives up with the last error when the attempts are used up", async () => {
    const { call, calls } = failing(9)
    await expect(retry(policyOf(), again, undefined, call)).rejects.toThrow("failure 4")
    expect(calls()).toBe(4)
  })

  it("waits at least as long as the failure asks, and not for what is final", async () => {
    const policy = policyOf()
    await retry(policy, () => 7000, undefined, failing(1).call)
    expect(policy.waits).toEqual([7000])
    const { call, calls } = failing(1)
    await expect(retry(policy, () => undefined, undefined, call)).rejects.toThrow("failure 1")
    expect(calls()).toBe(1)
  })

  it("begins no try after its deadline", async () => {
    const { call, calls } = failing(9)
    const policy = policyOf({ deadline: 2500 })
    await expect(retry(policy, () => 1000, undefined, call)).rejects.toThrow("failure 3")
    expect([calls(), policy.waits]).toEqual([3, [1000, 1000]])
  })

  it("does not multiply the tries of a retry inside another one", async () => {
    const { call, calls } = failing(99)
    const inner = () => retry(policyOf(), again, undefined, call)
    await expect(retry(policyOf(), again, undefined, inner)).rejects.toThrow("failure 4")
    expect(calls()).toBe(4)
  })

  it("repeats what an inner retry gave back without having tried again", async () => {
    const { call, calls } = failing(2)
    const inner = () => retry(policyOf(), () => undefined, undefined, call)
    expect(await retry(policyOf(), again, undefined, inner)).toBe(3)
    expect(calls()).toBe(3)
  })

  it("never repeats what was marked as final", async () => {
    const error = new Error("final")
    markFinal(error)
    let calls = 0
    const failed = retry(policyOf(), again, undefined, async () => {
      calls += 1
      throw error
    })
    await expect(failed).rejects.toBe(error)
    expect([calls, isFinal(error), isFinal(new Error("other"))]).toEqual([1, true, false])
  })

  it("ends with the signal's reason when it is aborted", async () => {
    const stop = new AbortController()
    const failed = retry(policyOf(), again, stop.signal, async () => {
      stop.abort(new Error("enough"))
      throw new Error("failure")
    })
    await expect(failed).rejects.toThrow("enough")
  })
})
