import { errorMessage, HeadraceError } from "../foundation/errors.ts"
import { OVER_TLS } from "./redis-address.ts"
import { redisRefusal } from "./redis-refusal.ts"

/**
 * Why Redis cannot be used, from what it answered or how the connection failed: what redisRefusal gives, or
 * `lanes/redis-unavailable`. `where` names the server.
 */
export function redisTrouble(where: string, cause?: unknown): HeadraceError {
  if (cause instanceof HeadraceError) return cause
  const refusal = redisRefusal(`Redis at ${where}`, cause)
  if (refusal) return refusal
  const text = cause === undefined ? "" : errorMessage(cause)
  if (/^(WRONGPASS|NOAUTH)|invalid password/.test(text)) {
    const refused = text.startsWith("NOAUTH") ? "wants a password" : "refuses the user or the password"
    return new HeadraceError("lanes/redis-unavailable", `Redis at ${where} ${refused}`, {
      hint: "Check the user and the password in the Redis URL.",
      cause,
    })
  }
  if (where.endsWith(OVER_TLS)) {
    return new HeadraceError("lanes/redis-unavailable", `Redis at ${where} does not answer`, {
      hint: "Write redis:// if that server has no TLS; otherwise check that it runs, its port for TLS, and the TLS files of the URL.",
      cause,
    })
  }
  return new HeadraceError("lanes/redis-unavailable", `Redis at ${where} does not answer`, {
    hint: "Check that it runs and that the URL, password and TLS files are right; Headrace connects by itself when it is back.",
    cause,
  })
}
