import { type Context, createContext, Script } from "node:vm"

const SCRIPT = new Script("work()")
/** Made once: a context costs a millisecond. */
let shared: Context | undefined
/** On a busy machine work waits for the processor: it gets up to this many times as long as it may work. */
const MOST_WAIT = 16
/** Of the limit: what is nearly used up counts as used up, since timers and clocks are not exact. */
const USED_UP = 0.8

/** `too-long`: it worked for the whole time. `busy`: the machine did not let it work for so long. */
export type Timed<Result> = { result: Result } | "too-long" | "busy"

/**
 * Runs work that the content of a repository can make as long as it likes, such as matching its patterns, and ends it
 * once it has used so many milliseconds of CPU. It keeps the event loop meanwhile. The work has no effect but its result:
 * on a busy machine it is begun again with more time. V8 ends a regular expression too, at its next step back (node:vm,
 * `timeout`).
 */
export function withinTime<Result>(milliseconds: number, work: () => Result): Timed<Result> {
  for (let wait = 1; wait <= MOST_WAIT; wait *= 2) {
    const before = process.cpuUsage()
    const done = attempt(milliseconds * wait, work)
    if (done) return done
    const { user, system } = process.cpuUsage(before)
    if ((user + system) / 1000 >= milliseconds * USED_UP) return "too-long"
  }
  return "busy"
}

function attempt<Result>(timeout: number, work: () => Result): { result: Result } | undefined {
  const context = shared ?? createContext({})
  shared = context
  context.work = work
  try {
    return { result: SCRIPT.runInContext(context, { timeout }) as Result }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_SCRIPT_EXECUTION_TIMEOUT") return undefined
    throw error
  } finally {
    context.work = undefined
  }
}
