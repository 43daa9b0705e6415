import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

/** Collects garbage when its owner says so. */
export interface HeapCollector {
  /**
   * Collects the whole heap and returns its free pages to the system, which V8 alone does only when memory runs out.
   * It stops the process for several milliseconds per megabyte that stays, so it belongs into idle times.
   */
  all(): void
  /** Collects what is young, within a millisecond or two: what was made and dropped since the last collections. */
  young(): void
}

/** Loads V8's own collector, which a program is given only when it asks for it. */
export function loadHeapCollector(): HeapCollector {
  setFlagsFromString("--expose-gc")
  const collect = runInNewContext("gc") as (options: object) => void
  return {
    all: () => collect({ type: "major", execution: "sync", flavor: "last-resort" }),
    young: () => collect({ type: "minor", execution: "sync" }),
  }
}
