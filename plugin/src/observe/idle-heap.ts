import { memoryUsage } from "node:process"
import { loadHeapCollector } from "@headrace/shared/foundation/collect-heap"

/** Nothing has been reconciled for so long: the plugin idles. */
const IDLE_MS = 5000
/** Less garbage, and a smaller share of what stays, is not worth the pause, which is as long as what stays is large. */
const GARBAGE_BYTES = 8 * 2 ** 20
const GARBAGE_SHARE = 0.25

/** Keeps the heap of an idle plugin small. */
export interface IdleHeap {
  /** Work has ended, which may have left garbage. */
  worked(): void
  stop(): void
}

/**
 * Collects the heap when the plugin has been idle for a while after a start or work, if it has grown since it was last
 * collected: loading the program leaves as much garbage as the program itself holds, and V8 keeps it until somebody
 * needs the memory. A busy plugin is never stopped for it.
 */
export function keepIdleHeapSmall(
  collect: () => void = loadHeapCollector().all,
  heapBytes: () => number = () => memoryUsage().heapTotal,
): IdleHeap {
  let timer: NodeJS.Timeout | undefined
  let small = 0
  function collectIfGrown(): void {
    if (heapBytes() - small < Math.max(GARBAGE_BYTES, small * GARBAGE_SHARE)) return
    collect()
    small = heapBytes()
  }
  return {
    worked() {
      clearTimeout(timer)
      timer = setTimeout(collectIfGrown, IDLE_MS).unref()
    },
    stop: () => clearTimeout(timer),
  }
}
