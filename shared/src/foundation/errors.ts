/**
 * Every code of Headrace. Empty here: each module declares its own in its `error-codes.ts`, which adds them by
 * declaration merging. So a package knows its own codes and those of `shared`, and `shared` imports no sibling.
 */
// biome-ignore lint/suspicious/noEmptyInterface: modules add to it.
export interface ErrorCodes {}

/** A declared code, `area/what`: a misspelt one is a type error. */
export type ErrorCode = keyof ErrorCodes

/** The part of a code up to its slash, with it: `"kube/"`. */
export type ErrorArea = ErrorCode extends `${infer Area}/${string}` ? `${Area}/` : never

/** What docs/reference/errors.md says of a code. Each text is whole sentences. */
export interface ErrorMeaning {
  /** What has happened, and what stays as it is. */
  meaning: string
  /** Why it usually happens. */
  cause: string
  /** What to do about it. */
  remedy: string
}

/** The codes of one module, by code. */
export type ErrorMeanings = Readonly<Record<`${string}/${string}`, ErrorMeaning>>

/** What every error of Headrace carries beside its message. */
export interface ErrorDetail {
  /** What to do about it, in one sentence. */
  hint?: string
  /** Names and numbers for the log line; never a secret. */
  fields?: Record<string, unknown>
  cause?: unknown
}

/**
 * An error with a stable code, for people and for programs.
 *
 * The message names the thing that is wrong; `hint` says what to do. Codes read `area/what`
 * (`rules/unknown-field`, `kube/conflict`) and never change once released.
 */
export class HeadraceError extends Error {
  readonly code: ErrorCode
  readonly hint: string | undefined
  readonly fields: Record<string, unknown>

  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause })
    this.name = "HeadraceError"
    this.code = code
    this.hint = detail.hint
    this.fields = detail.fields ?? {}
  }
}

/** The call itself was wrong (flags, arguments, configuration): programs exit with 2, not 1. */
export class UsageError extends HeadraceError {
  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}) {
    super(code, message, detail)
    this.name = "UsageError"
  }
}

/** The same error in other words: its code, its exit code, its fields and its cause stay. */
export function restated(
  error: HeadraceError,
  { message = error.message, hint = error.hint }: { message?: string; hint?: string | undefined },
): HeadraceError {
  const Same = error instanceof UsageError ? UsageError : HeadraceError
  return new Same(error.code, message, {
    fields: error.fields,
    cause: error.cause,
    ...(hint !== undefined && { hint }),
  })
}

/** True when `error` is a HeadraceError with this code, or with a code of this area (`"kube/"`). */
export function hasCode(error: unknown, code: ErrorCode | ErrorArea): error is HeadraceError {
  if (!(error instanceof HeadraceError)) return false
  return code.endsWith("/") ? error.code.startsWith(code) : error.code === code
}

/**
 * The text of any thrown value, with its code and its chain of causes, each with its own code:
 * `projection/blocked: waits for git: git/auth-failed: git fetch failed`.
 */
export function errorText(error: unknown): string {
  const text = errorMessage(error)
  return error instanceof HeadraceError ? `${error.code}: ${text}` : text
}

/** The same without the error's own code, for where that has a field of its own; causes keep theirs. */
export function errorMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const message = inPlainWords(error.message)
  if (error.cause === undefined) return message
  return `${message}: ${errorText(error.cause)}`
}

/** What a failed system call means to a person (man 3 errno). */
const SYSTEM_ERRORS: Readonly<Record<string, string>> = {
  EACCES: "permission is denied",
  EISDIR: "it is a folder, not a file",
  ELOOP: "its links lead round in a circle",
  EMFILE: "too many files are open",
  ENAMETOOLONG: "the name is too long",
  ENOENT: "there is no such file or folder",
  ENOSPC: "no space is left on the disk",
  ENOTDIR: "a part of the path is a file, not a folder",
  EPERM: "it is not permitted",
  EROFS: "the file system is read-only",
}

/** Node's `ENOENT: no such file or directory, open 'a'` as a statement; any other message as it is. */
function inPlainWords(message: string): string {
  const [whole = "", code = ""] = /^([A-Z]+): [^,]+/.exec(message) ?? []
  const words = SYSTEM_ERRORS[code]
  return words === undefined ? message : `${words} (${code})${message.slice(whole.length)}`
}
