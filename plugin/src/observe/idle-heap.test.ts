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

type Heap = ReturnType<typeof heap>

/** A run that leaves garbage, and the idle time after it. */
function workAndIdle({ state, kept }: Heap, garbage = 0): void {
  state.total += garbage
  kept.worked()
  vi.runAllTimers()
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
  const own = heap()
  Object.assign(own.state, { total: 30 * MEGABYTE, used: 20 * MEGABYTE })
  workAndIdle(own)
  workAndIdle(own, 7 * MEGABYTE)
  expect(own.state.collections).toBe(1)
  workAndIdle(own, 2 * MEGABYTE)
  expect(own.state.collections).toBe(2)
})

it("does not stop for a small share of what stays", () => {
  const own = heap()
  Object.assign(own.state, { total: 450 * MEGABYTE, used: 400 * MEGABYTE })
  workAndIdle(own)
  workAndIdle(own, 90 * MEGABYTE)
  expect(own.state.collections).toBe(1)
  workAndIdle(own, 20 * MEGABYTE)
  expect(own.state.collections).toBe(2)
})

it("collects nothing after its end", () => {
  const { state, kept } = heap()
  kept.worked()
  kept.stop()
  vi.runAllTimers()
  expect(state.collections).toBe(0)
})
