import { KubeError, type KubeErrorCode } from "../kube-error.ts"

/** The `Status` object of an API server's refusal, as far as we read it. Every member may be missing. */
export interface KubeStatus {
  message: string
  reason: string
  retryAfterSeconds: number | undefined
  /** Reasons of the single fields at fault, such as `FieldValueTooLong`. */
  causes: string[]
}

const MESSAGE_LIMIT = 1000

/** Statuses that have one meaning; 409, 422 and 500 are distinguished by the reason. */
const CODES: Readonly<Record<number, KubeErrorCode>> = {
  401: "kube/unauthorized",
  403: "kube/forbidden",
  404: "kube/not-found",
  408: "kube/timeout",
  410: "kube/gone",
  413: "kube/too-large",
  429: "kube/too-many-requests",
  504: "kube/timeout",
}

/**
 * The error for an answer that is not a success.
 *
 * `status` is the HTTP status, `body` what came with it: text, a parsed `Status`, or anything that a proxy
 * on the way put there. `what` says what was asked (`get ConfigMap ci/x`). `retryAfter` is the header's text.
 */
export function kubeErrorOfAnswer(
  what: string,
  status: number,
  body: unknown,
  retryAfter?: string | null,
): KubeError {
  const told = readStatus(body)
  const code = codeOf(status, told)
  const wait = retryAfterMilliseconds(retryAfter) ?? secondsToMilliseconds(told.retryAfterSeconds)
  const hint = hintOf(code)
  return new KubeError(code, `${what}: ${told.message || `HTTP ${status}`}`, {
    status,
    retryAfter: wait,
    ...(hint === undefined ? {} : { hint }),
    fields: { status, reason: told.reason },
  })
}

/** Reads a `Status` out of text or a value, defensively: proxies answer with HTML, and bodies arrive cut off. */
export function readStatus(body: unknown): KubeStatus {
  const value = typeof body === "string" ? parseOrKeep(body) : body
  if (value === null || typeof value !== "object") {
    return { message: cut(String(value ?? "")), reason: "", retryAfterSeconds: undefined, causes: [] }
  }
  const status = value as Record<string, unknown>
  const details = isRecord(status.details) ? status.details : {}
  const causes = Array.isArray(details.causes) ? details.causes.filter(isRecord) : []
  const seconds = details.retryAfterSeconds
  return {
    message: cut(typeof status.message === "string" ? status.message : ""),
    reason: typeof status.reason === "string" ? status.reason : "",
    retryAfterSeconds: typeof seconds === "number" ? seconds : undefined,
    causes: causes.map((cause) => String(cause.reason ?? "")),
  }
}

/** `Retry-After` in milliseconds: seconds or an HTTP date (RFC 9110, 10.2.3). */
export function retryAfterMilliseconds(
  text: string | null | undefined,
  now = Date.now(),
): number | undefined {
  if (!text) return undefined
  if (/^\d+$/.test(text)) return Number.parseInt(text, 10) * 1000
  const date = Date.parse(text)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

function codeOf(status: number, told: KubeStatus): KubeErrorCode {
  const known = CODES[status]
  if (known) return known
  if (status === 409) return told.reason === "AlreadyExists" ? "kube/already-exists" : "kube/conflict"
  // etcd's own limit (1.5 MiB by default) shows up as a bare 500.
  if (/request is too large/.test(told.message)) return "kube/too-large"
  if (status === 422 && told.causes.includes("FieldValueTooLong")) return "kube/too-large"
  return status >= 500 ? "kube/unavailable" : "kube/invalid"
}

function hintOf(code: KubeErrorCode): string | undefined {
  if (code === "kube/forbidden") return "Give the account this permission (RBAC), or leave the namespace out."
  if (code === "kube/unauthorized") return "Check the token or client certificate; it may have expired."
  return undefined
}

function secondsToMilliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000
}

function parseOrKeep(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value)
}

function cut(text: string): string {
  return text.length > MESSAGE_LIMIT ? `${text.slice(0, MESSAGE_LIMIT)}…` : text
}
