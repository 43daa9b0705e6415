import type { IncomingHttpHeaders } from "node:http"
import { REDIRECTS } from "@headrace/shared/foundation/fetch-within-origin"

/** 307 and 308: the others are followed by GET, without the body (RFC 9110, 15.4). */
const SAME_METHOD: readonly number[] = [307, 308]

export interface RedirectedCall<Method extends string> {
  /** As the server wrote it: relative, or no URL at all. */
  location: string
  method: Method | "GET"
  body: string | undefined
}

/** The call that an answer asks for in the place of one; undefined when it asks for none. */
export function redirectedCall<Method extends string>(
  { method, body }: { method: Method; body?: string | undefined },
  { status, headers }: { status: number; headers: Readonly<IncomingHttpHeaders> },
): RedirectedCall<Method> | undefined {
  const { location } = headers
  if (location === undefined || !REDIRECTS.includes(status)) return undefined
  return SAME_METHOD.includes(status)
    ? { location, method, body }
    : { location, method: "GET", body: undefined }
}
