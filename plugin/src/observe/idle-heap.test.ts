import { afterEach, beforeEach, expect, it, vi } from "vitest"
import { keepIdleHeapSmall } from "./idle-heap.ts"

const MEGABYTE = 2 ** 20

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** A heap that a collection brings down to what is used. */
function heap() {
  const state = { total: 100 * MEGABYTE, used: 50 * MEGABYTE, collections: 0 }
  const collect = () => {
    state.collections += 1
    state.total = state.used
  }
  return { state, kept: keepIdleHeapSmall(collect, () => state.total) }
}

it("collects once the plugin idles, and never while work goes on", () => {
  const { state, kept } = heap()
  for (let run = 0; run < 10; run++) {
    kept.worked()
    vi.advanceTimersByTime(4000)
  }
  expect(state.collections).toBe(0)
  vi.advanceTimersByTime(1000)
  expect(state.collections).toBe(1)
  vi.advanceTimersByTime(60_000)
  expect(state.collections).toBe(1)
})

it("does not stop for little garbage", () => {
  const { state, kept } = heap()
  kept.worked()
  vi.runAllTimers()
  state.total += 20 * MEGABYTE
  kept.worked()
  vi.runAllTimers()
  expect(state.collections).toBe(1)
  state.total += 20 * MEGABYTE
  kept.worked()
  vi.runAllTimers()
  expect(state.collections).toBe(2)
})

it("does not stop for a small share of what stays", () => {
  const { state, kept } = heap()
  Object.assign(state, { total: 450 * MEGABYTE, used: 400 * MEGABYTE })
  kept.worked()
  vi.runAllTimers()
  state.total += 90 * MEGABYTE
  kept.worked()
  vi.runAllTimers()
  expect(state.collections).toBe(1)
  state.total += 20 * MEGABYTE
  kept.worked()
  vi.runAllTimers()
  expect(state.collections).toBe(2)
})

it("collects nothing after its end", () => {
  const { state, kept } = heap()
  kept.worked()
  kept.stop()
  vi.runAllTimers()
  expect(state.collections).toBe(0)
})
