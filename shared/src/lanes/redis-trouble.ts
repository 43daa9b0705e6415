import { errorMessage, HeadraceError } from "../foundation/errors.ts"

/** Why a replica takes no writes: Redis' own word for it, and what it means. */
export const READONLY = "READONLY, it is a replica"

/**
 * Why Redis cannot be used, from what it answered or how the connection failed: `lanes/redis-no-writes`,
 * `lanes/redis-rights` or `lanes/redis-unavailable`. `where` names the server.
 */
export function redisTrouble(where: string, cause?: unknown): HeadraceError {
  if (cause instanceof HeadraceError) return cause
  const text = cause === undefined ? "" : errorMessage(cause)
  if (text.startsWith("READONLY")) return noWrites(where, READONLY, cause)
  if (/^(MISCONF|NOREPLICAS)/.test(text)) return noWrites(where, text, cause)
  if (/^NOPERM|can't (run this command|access at least one)/.test(text)) {
    return new HeadraceError("lanes/redis-rights", `Redis at ${where} refuses a command to its user`, {
      hint: "Give the user of the Redis URL the rights that docs/reference/redis.md lists.",
      cause,
    })
  }
  if (/^(WRONGPASS|NOAUTH)|invalid password/.test(text)) {
    const refused = text.startsWith("NOAUTH") ? "wants a password" : "refuses the user or the password"
    return new HeadraceError("lanes/redis-unavailable", `Redis at ${where} ${refused}`, {
      hint: "Check the user and the password in the Redis URL.",
      cause,
    })
  }
  return new HeadraceError("lanes/redis-unavailable", `Redis at ${where} does not answer`, {
    hint: "Check that it runs and that the URL, password and TLS files are right; Headrace connects by itself when it is back.",
    cause,
  })
}

/** A server that answers reads alone, for the reason given. */
export function noWrites(where: string, why: string, cause?: unknown): HeadraceError {
  return new HeadraceError("lanes/redis-no-writes", `Redis at ${where} takes no writes: ${why}`, {
    hint: "Give the URL of the primary, or make this Redis take writes again: REPLICAOF NO ONE for a replica, CLIENT UNPAUSE for a paused one.",
    cause,
  })
}
