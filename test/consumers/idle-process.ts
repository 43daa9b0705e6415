import { readdirSync, readFileSync } from "node:fs"

/** A process that has not run for so long waits for what comes next. */
const IDLE_MS = 20
/** It is looked at no more often, since to look costs as well. */
const LOOK_EVERY_MS = 5

/**
 * Says whether a process waits: none of its threads has run for a while, by the times of proc(5)'s schedstat. Of a watcher
 * that means that it has handled what it heard of, and watches again. Where /proc does not say, it counts as waiting.
 */
export function idleProcess(pid: number): () => boolean {
  let [ran, since, looked] = ["", performance.now(), Number.NEGATIVE_INFINITY]
  return () => {
    const now = performance.now()
    if (now - looked >= LOOK_EVERY_MS) {
      looked = now
      const times = runTimes(pid)
      if (times !== ran) [ran, since] = [times, now]
    }
    return now - since >= IDLE_MS || ran === ""
  }
}

function runTimes(pid: number): string {
  try {
    const threads = readdirSync(`/proc/${pid}/task`)
    return threads.map((id) => readFileSync(`/proc/${pid}/task/${id}/schedstat`, "utf8").split(" ")[0]).join()
  } catch {
    return ""
  }
}
