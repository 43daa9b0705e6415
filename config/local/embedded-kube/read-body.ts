import type { IncomingMessage } from "node:http"
import { ApiFailure, badRequest } from "./api-failure.ts"

/** What kube-apiserver takes in one request. */
export const REQUEST_LIMIT_BYTES = 3 * 1024 * 1024

/** The request's JSON; undefined when there is none. Throws 413 beyond 3 MiB, 415 and 400. */
export async function readJsonBody(request: IncomingMessage, types: readonly string[]): Promise<unknown> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += (chunk as Buffer).length
    if (size <= REQUEST_LIMIT_BYTES) chunks.push(chunk as Buffer)
  }
  if (size > REQUEST_LIMIT_BYTES) {
    const message = `Request entity too large: limit is ${REQUEST_LIMIT_BYTES}`
    throw new ApiFailure(413, "RequestEntityTooLarge", message)
  }
  if (size === 0) return undefined
  const type = (request.headers["content-type"] ?? "application/json").split(";", 1)[0]?.trim() ?? ""
  if (!types.includes(type)) {
    const message = `the body of the request was in an unknown format - accepted media types include: ${types.join(", ")}`
    throw new ApiFailure(415, "UnsupportedMediaType", message)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"))
  } catch (error) {
    throw badRequest(`json parse error: ${String(error)}`)
  }
}
