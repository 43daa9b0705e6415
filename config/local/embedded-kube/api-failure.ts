import { HeadraceError } from "@headrace/shared/foundation/errors"

export interface FieldCause {
  reason: "FieldValueInvalid" | "FieldValueRequired" | "FieldValueTooLong" | "FieldValueForbidden"
  message: string
  field: string
}

/** The `Status` object with which an API server refuses. */
export interface ApiStatus {
  kind: "Status"
  apiVersion: "v1"
  metadata: Record<string, never>
  status: "Failure"
  message: string
  reason?: string
  details?: {
    name?: string
    kind?: string
    group?: string
    causes?: FieldCause[]
    retryAfterSeconds?: number
  }
  code: number
}

/** What the embedded API server answers instead of what was asked for. */
export class ApiFailure extends HeadraceError {
  readonly status: ApiStatus

  constructor(code: number, reason: string, message: string, details?: ApiStatus["details"]) {
    super("embedded-kube/refused", message)
    this.name = "ApiFailure"
    this.status = {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message,
      ...(reason ? { reason } : {}),
      ...(details ? { details } : {}),
      code,
    }
  }
}

/** 400: the request makes no sense. */
export function badRequest(message: string): ApiFailure {
  return new ApiFailure(400, "BadRequest", message)
}

/** 404 for an object; `resource` is the plural, `configmaps`. */
export function notFound(resource: string, name: string): ApiFailure {
  return new ApiFailure(404, "NotFound", `${resource} "${name}" not found`, { name, kind: resource })
}

/** 409 for a resourceVersion or uid that has moved on. */
export function conflict(resource: string, name: string, why: string): ApiFailure {
  const message = `Operation cannot be fulfilled on ${resource} "${name}": ${why}`
  return new ApiFailure(409, "Conflict", message, { name, kind: resource })
}

/** 422 that lists every field at fault. */
export function invalid(kind: string, name: string, causes: FieldCause[]): ApiFailure {
  const texts = causes.map((cause) => `${cause.field}: ${cause.message}`)
  const all = texts.length === 1 ? texts[0] : `[${texts.join(", ")}]`
  return new ApiFailure(422, "Invalid", `${kind} "${name}" is invalid: ${all}`, { name, kind, causes })
}
