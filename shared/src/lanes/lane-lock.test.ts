import { setTimeout as delay } from "node:timers/promises"
import { until } from "@headrace/test/harness/until"
import { describe, expect, it } from "vitest"
import { holdLock } from "./lane-lock.ts"

const LIFETIME = 400
/** Of a lock that must not run out, on a machine that gives this process no time for a second. */
const LONG_LIFETIME = 2000

describe("holdLock", () => {
  it("keeps a lock as long as it is renewed", async () => {
    let renewals = 0
    const renew = async () => {
      renewals++
      return true
    }
    const lock = holdLock({ since: Date.now(), lifetime: LONG_LIFETIME, renew })
    await until(() => renewals >= 4)
    expect(lock.signal.aborted).toBe(false)
    lock.release()
    const before = renewals
    await delay(LONG_LIFETIME / 4)
    expect(renewals).toBe(before)
  })

  it("stops for one that is gone", async () => {
    const lock = holdLock({ since: Date.now(), lifetime: LONG_LIFETIME, renew: async () => false })
    await until(() => lock.signal.aborted)
    expect(lock.signal.reason).toMatchObject({ code: "lanes/lock-lost", message: /its lock is gone/ })
  })

  it.each([
    ["fail", () => Promise.reject(new Error("away"))],
    ["are never answered", () => new Promise<boolean>(() => undefined)],
  ])("stops when renewals %s", async (_, renew) => {
    const lock = holdLock({ since: Date.now(), lifetime: LIFETIME, renew })
    await until(() => lock.signal.aborted)
    expect(lock.signal.reason).toMatchObject({ message: /could not be renewed in time/ })
  })

  it("counts a renewal from when it was sent, not from when the reply was read", async () => {
    const renew = () => delay(LIFETIME * 0.45, true)
    const lock = holdLock({ since: Date.now(), lifetime: LIFETIME, renew })
    await until(() => lock.signal.aborted)
    expect(lock.signal.reason).toMatchObject({ message: /could not be renewed in time/ })
  })

  it("has lost one from the beginning that was asked for too long ago", () => {
    const lock = holdLock({ since: Date.now() - LIFETIME, lifetime: LIFETIME, renew: async () => true })
    expect(lock.signal.aborted).toBe(true)
  })
})
