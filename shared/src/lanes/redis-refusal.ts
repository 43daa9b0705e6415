import { type ErrorCode, HeadraceError, UsageError } from "../foundation/errors.ts"

/** Codes of what Redis refuses until a person acts: waiting cures none of them. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set([
  "lanes/newer-format",
  "lanes/redis-evicts",
  "lanes/redis-full",
  "lanes/redis-no-writes",
  "lanes/redis-rights",
  "lanes/redis-url",
])

/** Why a replica takes no writes: Redis' own word for it, and what it means. */
export const READONLY = "READONLY, it is a replica"

/**
 * The error for an answer of Redis that no waiting cures: it is full, a replica, unable to save, refuses its user a
 * command or a key, or has no database of the URL's number. `who` names the server. Undefined for anything else: Redis is
 * away, or slow.
 */
export function redisRefusal(who: string, cause: unknown): HeadraceError | undefined {
  if (cause instanceof HeadraceError) return REFUSALS.has(cause.code) ? cause : undefined
  const answers = answersIn(cause)
  const answer = (pattern: RegExp) => answers.find((text) => pattern.test(text))
  // Within a script Redis before version 7 puts its own words around the answer.
  if (answer(/\bOOM /)) return fullRedis(who, cause)
  if (answer(/\bREADONLY /)) return noWrites(who, READONLY, cause)
  const unsaved = answer(/^(MISCONF|NOREPLICAS)/)
  if (unsaved !== undefined) return noWrites(who, unsaved, cause)
  if (answer(/^NOPERM|can't (run this command|access at least one)/)) {
    return new HeadraceError("lanes/redis-rights", `${who} refuses a command to its user`, {
      hint: "Give the user of the Redis URL the rights that docs/reference/redis.md lists.",
      cause,
    })
  }
  const database = unselected(cause)
  return database === undefined ? undefined : noDatabase(who, database, cause)
}

/** The number of the database that Redis did not let a connection select; undefined: the error is about something else. */
export function unselected(error: unknown): string | undefined {
  if (!(error instanceof Error && "command" in error)) return undefined
  const { name, args } = error.command as { name: string; args: readonly unknown[] }
  return name === "select" ? String(args[0]) : undefined
}

/** A server that answers reads alone, for the reason given. */
export function noWrites(who: string, why: string, cause?: unknown): HeadraceError {
  return new HeadraceError("lanes/redis-no-writes", `${who} takes no writes: ${why}`, {
    hint: "Give the URL of the primary, or make this Redis take writes again: REPLICAOF NO ONE for a replica, CLIENT UNPAUSE for a paused one.",
    cause,
  })
}

/** A server that has used up its memory. */
export function fullRedis(who: string, cause?: unknown): HeadraceError {
  return new HeadraceError("lanes/redis-full", `${who} is full and takes no wake-ups`, {
    hint: "Give it more memory: lanes need little, so look at what else it holds.",
    cause,
  })
}

function noDatabase(who: string, database: string, cause: unknown): UsageError {
  return new UsageError("lanes/redis-url", `${who} has no database ${database}, which the Redis URL names`, {
    hint: "Correct the number after the last slash of the Redis URL; CONFIG GET databases shows how many there are.",
    cause,
  })
}

/** What Redis answered; within a transaction it answers for each command, and EXECABORT at the end. */
function answersIn(error: unknown): string[] {
  if (!(error instanceof Error)) return []
  const earlier = "previousErrors" in error && Array.isArray(error.previousErrors) ? error.previousErrors : []
  return [error.message, ...earlier.flatMap(answersIn)]
}
