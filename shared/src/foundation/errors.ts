/** What every error of Headrace carries beside its message. */
export interface ErrorDetail {
  /** What to do about it, in one sentence that starts with a verb. */
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
  readonly code: string
  readonly hint: string | undefined
  readonly fields: Record<string, unknown>

  constructor(code: string, message: string, detail: ErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause })
    this.name = "HeadraceError"
    this.code = code
    this.hint = detail.hint
    this.fields = detail.fields ?? {}
  }
}

/** The call itself was wrong (flags, arguments, configuration): programs exit with 2, not 1. */
export class UsageError extends HeadraceError {
  constructor(code: string, message: string, detail: ErrorDetail = {}) {
    super(code, message, detail)
    this.name = "UsageError"
  }
}

/** True when `error` is a HeadraceError with this code, or with a code of this area (`"kube/"`). */
export function hasCode(error: unknown, code: string): error is HeadraceError {
  if (!(error instanceof HeadraceError)) return false
  return code.endsWith("/") ? error.code.startsWith(code) : error.code === code
}

/** The text of any thrown value, with its chain of causes: `a: b: c`. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message}: ${errorText(error.cause)}`
}
