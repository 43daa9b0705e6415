import { type ErrorDetail, HeadraceError } from "../foundation/errors.ts"

export type KubeErrorCode =
  | "kube/not-found"
  | "kube/already-exists"
  | "kube/conflict"
  | "kube/invalid"
  | "kube/too-large"
  | "kube/forbidden"
  | "kube/unauthorized"
  | "kube/gone"
  | "kube/too-many-requests"
  | "kube/unavailable"
  | "kube/timeout"
  | "kube/answer-too-large"
  | "kube/list-too-large"

/** A server, or a proxy before it, that asks for more than this is asked again after this, milliseconds. */
export const RETRY_AFTER_LIMIT = 60_000

/** What an API server, or the way to it, answered instead of what was asked for. */
export class KubeError extends HeadraceError {
  declare readonly code: KubeErrorCode
  /** HTTP status; 0 when no answer came. */
  readonly status: number
  /** How long the server asked us to wait, in milliseconds. */
  readonly retryAfter: number | undefined

  constructor(
    code: KubeErrorCode,
    message: string,
    detail: ErrorDetail & { status?: number; retryAfter?: number | undefined } = {},
  ) {
    super(code, message, detail)
    this.name = "KubeError"
    this.status = detail.status ?? 0
    this.retryAfter = detail.retryAfter
  }
}

/** The error of a request that was given up after `milliseconds`; `what` says what was asked. */
export function noAnswer(what: string, milliseconds: number): KubeError {
  return new KubeError("kube/timeout", `${what}: no answer within ${milliseconds} ms`)
}

/** True for what may go away by itself: worth another try after a wait. The write may have had its effect. */
export function isTransient(error: unknown): error is KubeError {
  if (!(error instanceof KubeError)) return false
  return ["kube/too-many-requests", "kube/unavailable", "kube/timeout"].includes(error.code)
}
