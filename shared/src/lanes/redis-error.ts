import { HeadraceError } from "../foundation/errors.ts"

/** What Redis threw when it should have taken `what`, as an error of ours. */
export function redisError(what: string, cause: unknown): HeadraceError {
  if (cause instanceof HeadraceError) return cause
  if (isFull(cause)) {
    return new HeadraceError("lanes/redis-full", `Redis is full and does not take ${what}`, {
      hint: "Give it more memory: lanes need little, so look at what else it holds.",
      cause,
    })
  }
  return new HeadraceError("lanes/not-enqueued", `Redis did not take ${what}`, { cause })
}

/** A full Redis answers OOM; within a transaction it says so for each command, and EXECABORT at the end. */
function isFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const earlier = "previousErrors" in error && Array.isArray(error.previousErrors) ? error.previousErrors : []
  return error.message.includes("OOM ") || earlier.some(isFull)
}
