import { type Context, createContext, Script } from "node:vm"

const SCRIPT = new Script("work()")
/** Made once: a context costs a millisecond. */
let shared: Context | undefined

/**
 * Runs work that the content of a repository can make as long as it likes, such as matching its patterns, and ends it
 * after so many milliseconds; undefined then. It keeps the event loop meanwhile. V8 ends a regular expression too, at
 * its next step back (node:vm, `timeout`).
 */
export function withinTime<Result>(milliseconds: number, work: () => Result): { result: Result } | undefined {
  const context = shared ?? createContext({})
  shared = context
  context.work = work
  try {
    return { result: SCRIPT.runInContext(context, { timeout: milliseconds }) as Result }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_SCRIPT_EXECUTION_TIMEOUT") return undefined
    throw error
  } finally {
    context.work = undefined
  }
}
