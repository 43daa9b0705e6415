import type { IncomingMessage, ServerResponse } from "node:http"
import { errorText } from "@headrace/shared/foundation/errors"
import type { Log } from "@headrace/shared/observe/log"
import type { Route } from "@headrace/shared/observe/serve-http"
import { holdsSecret } from "../webhook/holds-secret.ts"
import type { WebhookSecrets } from "../webhook/webhook-secrets.ts"

/** What a reader of an object was answered, for the metric. */
export type ObjectAnswer = "served" | "unchanged" | "absent" | "refused" | "failed"

export interface ObjectsPorts {
  /** The tokens that readers may have. */
  tokens: Pick<WebhookSecrets, "texts">
  read(digest: string): Promise<Buffer | undefined>
  /** Called after each answer. */
  onAnswer?(answer: ObjectAnswer): void
  log: Log
}

const OBJECT_PATH = /^\/objects\/([0-9a-f]{64})$/
const YEAR_SECONDS = 365 * 24 * 3600
/**
 * What a digest names never changes, RFC 8246. `public`: without it no shared cache keeps an answer to a request with
 * Authorization, RFC 9111 section 3.5. `no-transform`: the bytes are gzip themselves.
 */
const FOR_EVER = `public, max-age=${YEAR_SECONDS}, immutable, no-transform`

/**
 * `GET` and `HEAD /objects/DIGEST` with `Authorization: Bearer TOKEN`: an object of the store, gzipped, by the SHA-256 of
 * what it unpacks to. Answers 401 before it looks at anything, 404 for what is not there or no digest, 405, and 503 while
 * no store can be read.
 */
export function objectsRoute(ports: ObjectsPorts): Route {
  return async (request, response) => {
    request.resume()
    const given = await answer(ports, request, response)
    ports.onAnswer?.(given)
  }
}

async function answer(
  { tokens, read, log }: ObjectsPorts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<ObjectAnswer> {
  if (!(await holdsSecret(request, tokens))) {
    refuse(response, 401, "give Authorization: Bearer TOKEN", { "www-authenticate": "Bearer" })
    return "refused"
  }
  if (request.method !== "GET" && request.method !== "HEAD") {
    refuse(response, 405, "use GET", { allow: "GET, HEAD" })
    return "refused"
  }
  const digest = digestOf(request)
  try {
    const content = digest === undefined ? undefined : await read(digest)
    if (digest === undefined || content === undefined) {
      refuse(response, 404, "no store has this object")
      return "absent"
    }
    const isKnown = request.headers["if-none-match"]?.includes(`"${digest}"`) === true
    send(response, digest, isKnown ? undefined : content, request.method === "HEAD")
    return isKnown ? "unchanged" : "served"
  } catch (error) {
    log.warn({ digest, err: errorText(error) }, "an object could not be served")
    refuse(response, 503, "no store can be read now; try again", { "retry-after": "1" })
    return "failed"
  }
}

/** Undefined for another path. */
function digestOf({ url = "" }: IncomingMessage): string | undefined {
  return OBJECT_PATH.exec(URL.parse(url, "http://localhost")?.pathname ?? "")?.[1]
}

/** `content` undefined: the reader has it. */
function send(response: ServerResponse, digest: string, content: Buffer | undefined, isHead: boolean): void {
  const headers = { etag: `"${digest}"`, "cache-control": FOR_EVER }
  if (content === undefined) {
    response.writeHead(304, headers)
    response.end()
    return
  }
  response.writeHead(200, {
    ...headers,
    "content-type": "application/gzip",
    "content-length": content.length,
    "x-content-type-options": "nosniff",
  })
  response.end(isHead ? undefined : content)
}

/** What may be otherwise in a moment is kept by no cache. */
function refuse(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, {
    ...headers,
    "content-type": "text/plain; charset=utf-8",
    "cache-control": "no-store",
  })
  response.end(`${text}\n`)
}
