import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

/**
 * Loads what collects the whole heap and returns its free pages to the system, which V8 alone does only when memory runs out.
 * Each collection stops the process for about a millisecond per megabyte that stays, so it belongs into idle times.
 */
export function loadHeapCollector(): () => void {
  setFlagsFromString("--expose-gc")
  const collect = runInNewContext("gc") as (options: object) => void
  return () => collect({ type: "major", execution: "sync", flavor: "last-resort" })
}
