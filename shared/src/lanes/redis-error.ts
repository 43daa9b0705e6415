import { HeadraceError } from "../foundation/errors.ts"
import { redisRefusal } from "./redis-refusal.ts"

/** What Redis threw when it was to take `what`, as an error of ours: what redisRefusal gives, or `lanes/not-enqueued`. */
export function redisError(what: string, cause: unknown): HeadraceError {
  if (cause instanceof HeadraceError) return cause
  return (
    redisRefusal("Redis", cause) ??
    new HeadraceError("lanes/not-enqueued", `Redis did not take ${what}`, { cause })
  )
}
