import { expect, it } from "vitest"
import { untilAborted } from "./until-aborted.ts"

it("leaves no rejection behind for what was begun after the abort", async () => {
  const reason = new Error("stopped")
  const unhandled: unknown[] = []
  const listen = (error: unknown) => unhandled.push(error)
  process.on("unhandledRejection", listen)
  try {
    const call = Promise.reject(new Error("aborted, too"))
    await expect(untilAborted(call, AbortSignal.abort(reason))).rejects.toBe(reason)
    await new Promise((resolve) => setImmediate(resolve))
    expect(unhandled).toEqual([])
  } finally {
    process.off("unhandledRejection", listen)
  }
})
